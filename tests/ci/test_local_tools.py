"""What runs on a developer's machine is what runs in CI."""

from __future__ import annotations

import json

import yaml

from tools.changed import ROOT


def test_pre_commit_runs_make_lint_and_nothing_foreign() -> None:
    """The hooks are local and call `make lint`, so a commit passes exactly the checks of CI's lint job."""
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert [(hook["entry"], hook["language"], hook["pass_filenames"]) for hook in hooks] == [
        ("make lint", "system", False)
    ]


def test_the_development_container_needs_no_command_of_its_own() -> None:
    """Its life-cycle commands are the two of the README."""
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    commands = {value for name, value in container.items() if name.endswith("Command")}
    assert commands
    assert commands <= {"make demo", "make test"}
