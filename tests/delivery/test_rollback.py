"""A rollback of the workflow `deploy`, run with a recorded history of Helm, never brings a failed release back."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tools.changed import ROOT

HELM = """#!/bin/sh
case "$1" in
  history) cat "$WORLD/history" ;;
  rollback) printf '%s\\n' "$@" > "$WORLD/rollback" ;;
esac
"""
FAILED = 'Upgrade "rag-service" failed: pre-upgrade hooks failed: 1 error occurred'


def rolled_back(world: Path, step: str, *last: str, revision: str = "0") -> tuple[str | None, str]:
    """Return which revision helm is told to go back to by a step, None if none, and what a reader is told."""
    path = world / "helm"
    path.write_text(HELM)
    path.chmod(0o755)
    texts = enumerate(("Install complete", *last), 1)
    (world / "history").write_text(json.dumps([{"revision": number, "description": text} for number, text in texts]))
    loaded = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text())
    (script,) = [one["run"] for one in loaded["jobs"]["deploy"]["steps"] if one.get("name") == step]
    given = {"WORLD": str(world), "SERVICE": "rag-service", "NAMESPACE": "castor", "REVISION": revision}
    environment = given | {"PATH": f"{world}:{os.environ['PATH']}"}
    command = ["bash", "-eo", "pipefail", "-c", script]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    made = world / "rollback"
    assert made.exists() == (done.returncode == 0), done.stderr
    return (made.read_text().split()[2] if made.exists() else None), done.stdout + done.stderr


@pytest.mark.parametrize("step", ["Roll back", "Make the declared state the one that runs"])
@pytest.mark.parametrize(
    ("last", "to"),
    [
        ([], "0"),
        (["Upgrade complete"], "1"),
        (["Upgrade complete", "Preparing upgrade"], "2"),
        (["Rollback to 1", FAILED], "2"),
        (["Upgrade complete", FAILED, "Preparing upgrade", "Upgrade complete"], "2"),
        (["Upgrade complete", "Rollback to 1"], "1"),
        (["Upgrade complete"] * 11 + ["Rollback to 11"], "11"),
    ],
)
def test_nothing_that_was_rolled_back_comes_back(tmp_path: Path, step: str, last: list[str], to: str) -> None:
    """After a rollback, or one that was ended on its way, the one before is what was rolled back; nor is an upgrade
    that failed a way back. Of a first installation there is none, as Helm then says.
    """
    assert rolled_back(tmp_path, step, *last)[0] == to


@pytest.mark.parametrize("kind", ["Rollback", "Release"])
def test_a_rollback_that_failed_asks_for_the_revision(tmp_path: Path, kind: str) -> None:
    """Helm no longer says where it went; with a revision it is done."""
    last = ("Upgrade complete", f'{kind} "rag-service" failed: context deadline exceeded')
    to, told = rolled_back(tmp_path, "Roll back", *last)
    assert to is None
    assert "-f revision=<number>" in told
    assert rolled_back(tmp_path, "Roll back", *last, revision="1")[0] == "1"
