"""The workflows are sound: linted where actionlint is installed, and held to the house's rules everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.changed import ROOT, Plan, edges_of

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
# Made by those whose tools they install; a new one needs a reason.
TRUSTED = {
    "actions/checkout", "actions/setup-python", "docker/setup-buildx-action", "docker/build-push-action",
    "docker/login-action", "anchore/sbom-action", "anchore/scan-action", "sigstore/cosign-installer",
    "azure/setup-helm", "docker/setup-qemu-action",
}  # fmt: skip
# What a stranger can write in a pull request; in a script it would be executed.
UNTRUSTED = re.compile(r"\$\{\{[^}]*(github\.event\.|github\.head_ref|inputs\.|matrix\.|secrets\.)[^}]*\}\}")


def load(name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    loaded: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text())
    return {("on" if key is True else key): value for key, value in loaded.items()}


def jobs() -> list[Any]:
    return [
        pytest.param(file.name, name, job, id=f"{file.stem}-{name}")
        for file in FILES
        for name, job in load(file.name)["jobs"].items()
    ]


def test_actionlint_is_content() -> None:
    """actionlint finds nothing, nor does shellcheck in the scripts of steps where it is installed."""
    tools = Path(sys.executable).parent
    with_shellcheck = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    command = [str(tools / "actionlint"), *map(str, FILES)]
    done = subprocess.run(command, env=with_shellcheck, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", [file.name for file in FILES])
def test_a_workflow_may_do_little_and_meets_no_twin(file: str) -> None:
    """By default a workflow may only read; it says what happens when it is started twice."""
    workflow = load(file)
    assert workflow["permissions"] == {"contents": "read"}
    assert {"group", "cancel-in-progress"} <= workflow["concurrency"].keys()
    assert "pull_request_target" not in workflow["on"]


@pytest.mark.parametrize(("file", "name", "job"), jobs())
def test_a_job_is_bounded_and_asks_for_little(file: str, name: str, job: dict[str, Any]) -> None:
    """Every job ends in time; write access is for packages, signing and the index of charts, in release alone."""
    assert "uses" in job or job["timeout-minutes"] <= 60
    writes = {scope for scope, access in job.get("permissions", {}).items() if access == "write"}
    allowed = {"release.yml": {"packages", "id-token"}, "deploy.yml": {"id-token"}}.get(file, set())
    assert writes <= (allowed if name != "index" else {"contents"}), name
    # A called workflow gets the secrets that it needs by name, and deploy needs none.
    assert "secrets" not in job, name


@pytest.mark.parametrize(("file", "name", "job"), jobs())
def test_steps_use_known_actions_and_safe_scripts(file: str, name: str, job: dict[str, Any]) -> None:
    """Actions are few and pinned; scripts parse and take foreign text from the environment only."""
    for step in job.get("steps", ()):
        action, _, version = step.get("uses", "").partition("@")
        pinned = re.fullmatch(r"[0-9a-f]{40}", version)
        assert not action or (action in TRUSTED and pinned), (file, name, action)
        script = step.get("run", "")
        assert UNTRUSTED.findall(script) == [], (file, name, script)
        plain = re.sub(r"\$\{\{.*?\}\}", "x", script)
        assert subprocess.run(["bash", "-n"], input=plain, text=True, check=False).returncode == 0, script
        if action == "actions/checkout":
            assert step["with"]["persist-credentials"] is False, (file, name)


def test_the_plan_reaches_every_job() -> None:
    """Each output of tools/changed.py is an output of the job 'plan' and decides about one; 'passed' waits for all."""
    ci = load("ci.yml")
    outputs = {field.name for field in fields(Plan)}
    assert ci["jobs"]["plan"]["outputs"].keys() == outputs
    conditions = " ".join(job.get("if", "") for job in ci["jobs"].values())
    assert {name for name in outputs if f"needs.plan.outputs.{name} " in conditions} == outputs
    assert {*ci["jobs"]["passed"]["needs"]} == {*ci["jobs"]} - {"passed"}


def test_no_push_is_left_out_of_every_release() -> None:
    """A run compares with the last release that succeeded, of main's pushes: not with the push before it."""
    jobs = load("release.yml")["jobs"]
    assert jobs["ci"]["needs"] == "since"
    assert jobs["ci"]["with"]["base"] == "${{ needs.since.outputs.commit }}"
    assert jobs["since"]["permissions"]["actions"] == "read"
    script = (ROOT / ".github" / "scripts" / "released.sh").read_text()
    assert "--workflow release.yml --branch main --event push --status success" in script
    assert not any("github.event.before" in file.read_text() for file in FILES)


def test_a_rollback_waits_behind_no_deployment() -> None:
    """GitHub keeps one run that waits and drops it for a newer one; a rollback ends what runs instead of waiting."""
    twins = load("deploy.yml")["concurrency"]
    assert twins["cancel-in-progress"] == "${{ inputs.rollback || false }}"
    assert "rollback" not in twins["group"]


def test_by_hand_every_service_can_be_released_and_rolled_back() -> None:
    """The choices of both manual workflows are the eight releases, and a rollback is the default of 'deploy'."""
    for file in ("release.yml", "deploy.yml"):
        assert {*load(file)["on"]["workflow_dispatch"]["inputs"]["service"]["options"]} == {*edges_of(), "console"}
    assert load("deploy.yml")["on"]["workflow_dispatch"]["inputs"]["rollback"]["default"] is True


def test_what_is_released_is_scanned_described_and_signed() -> None:
    """Between the push of an image and its chart stand the SBOM, the scan and the signature, and deploy verifies it."""
    steps = [step.get("uses", step.get("name", "")) for step in load("release.yml")["jobs"]["image"]["steps"]]
    order = [next(n for n, step in enumerate(steps) if word in step) for word in ("build-push", "sbom", "scan", "Sign")]
    assert order == sorted(order)
    assert {"select", "image"} <= {*load("release.yml")["jobs"]["chart"]["needs"]}
    assert any(
        ".github/scripts/image.sh" in step.get("run", "") for step in load("deploy.yml")["jobs"]["deploy"]["steps"]
    )
    assert "cosign verify" in (ROOT / ".github" / "scripts" / "image.sh").read_text()


def test_an_image_is_for_two_architectures_and_says_how_it_was_made() -> None:
    """What is pushed has both architectures, provenance and an SBOM; each pinned action names its version."""
    steps = load("release.yml")["jobs"]["image"]["steps"]
    (build,) = [step["with"] for step in steps if "build-push-action" in step.get("uses", "")]
    assert build["platforms"] == "linux/amd64,linux/arm64"
    assert build["provenance"] == "mode=max"
    assert build["sbom"] is True
    for file in FILES:
        for line in re.findall(r"uses: (\S+@.*)", file.read_text()):
            assert re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), (file.name, line)


def test_access_to_the_cluster_is_short_and_narrow() -> None:
    """No credential of a cluster is stored: deploy gets a token for minutes, and its role holds in one namespace."""
    text = (FOLDER / "deploy.yml").read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) <= {"GITHUB_TOKEN"}
    role, binding = yaml.safe_load_all((ROOT / ".github" / "cluster-access.yaml").read_text())
    assert (role["kind"], role["metadata"]["namespace"]) == ("Role", "castor")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert {subject["name"].rsplit(":", 1)[1] for subject in binding["subjects"]} == {"staging", "production"}
    given = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert not any("*" in part for rule in role["rules"] for part in [*rule["resources"], *rule["verbs"]])
    rendered = (ROOT / "tests" / "charts" / "rendered").glob("*.yaml")
    kinds = {manifest["kind"] for file in rendered for manifest in yaml.safe_load_all(file.read_text()) if manifest}
    plural = {kind: kind.lower()[:-1] + "ies" if kind.endswith("y") else kind.lower() + "s" for kind in kinds}
    plural |= {"Ingress": "ingresses", "BackendTLSPolicy": "backendtlspolicies"}
    assert {plural[kind] for kind in kinds} <= given


@pytest.mark.parametrize("script", sorted((ROOT / ".github" / "scripts").glob("*.sh")), ids=lambda path: path.stem)
def test_scripts_parse_and_stop_at_errors(script: Path) -> None:
    """Each script of a workflow can be run, parses, and ends at the first command that fails."""
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert "set -euo pipefail" in script.read_text()
