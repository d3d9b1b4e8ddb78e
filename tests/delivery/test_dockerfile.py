"""The Dockerfile: clean, pinned, and of this workspace."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from chart_tools import CHARTS, NAMES, ROOT, WANTED, parse
from dockerfile import instructions

TEXT = (ROOT / "Dockerfile").read_text()


def test_hadolint_finds_nothing() -> None:
    """hadolint has nothing to say, not even in style."""
    program = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip(WANTED)
    done = subprocess.run([program, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_is_pinned() -> None:
    """Every stage comes from one base image that a digest names."""
    assert re.search(r"^ARG PYTHON_DIGEST=sha256:[0-9a-f]{64}$", TEXT, re.MULTILINE)
    bases = [rest.split(" AS ")[0] for name, rest in instructions(TEXT) if name == "FROM"]
    assert bases == ["${PYTHON}@${PYTHON_DIGEST}", "base", "deps", "base"]


def test_uv_is_the_locked_one() -> None:
    """The image is built by the uv that the lock names, which wrote and reads the lock."""
    locked = re.search(r'name = "uv"\nversion = "([^"]+)"', (ROOT / "uv.lock").read_text())
    assert locked is not None
    assert f"uv=={locked[1]}\n" in TEXT


def test_the_python_is_the_tested_one() -> None:
    """The base image has the Python of which the workspace is required and tested."""
    required = re.search(r'requires-python = ">=([0-9.]+)"', (ROOT / "pyproject.toml").read_text())
    assert required is not None
    assert f"python:{required[1]}-slim" in TEXT


def test_every_package_is_installed_from_the_lock() -> None:
    """What is installed is what the lock names, by its hashes, without the tools of development, for one service."""
    runs = [rest for name, rest in instructions(TEXT) if name == "RUN"]
    frozen = [command for run in runs for command in run.split(" && ") if "--frozen" in command]
    assert [re.findall(r"\buv (\w+) ", command) for command in frozen] == [["export"], ["sync"]]
    for command in frozen:
        assert "--frozen --no-dev" in command
        assert "--package castor-${SERVICE}" in command
    assert sum("uv pip install --require-hashes --no-deps" in run for run in runs) == 1
    for name in NAMES:
        assert f'name = "castor-{name}"' in (ROOT / name / "pyproject.toml").read_text()


def test_the_image_and_the_charts_name_one_user() -> None:
    """The user of the image is the one that the pods run as, and nobody's name need be known."""
    users = [rest for name, rest in instructions(TEXT) if name == "USER"]
    assert users == ["10001:10001"]
    assert '"runAsUser" 10001 "runAsGroup" 10001' in (CHARTS / "common" / "templates" / "_pod.tpl").read_text()


def test_development_manifests_are_valid() -> None:
    """What Tilt puts beside the charts is valid for the newest Kubernetes."""
    validator = pytest.importorskip("kubernetes_validate", reason=WANTED)
    manifests = parse((CHARTS / "development" / "backing.yaml").read_text())
    builtin = [m for m in manifests if not m["apiVersion"].startswith("cert-manager.io/")]
    assert len(builtin) == 6
    for manifest in builtin:
        assert validator.validate(manifest, "1.37", strict=True) == "1.37"
    for name in ("otel-collector.yaml", "grafana/datasources/prometheus.yaml", "grafana/dashboards/castor.yaml"):
        assert yaml.safe_load((CHARTS / "development" / name).read_text())


def test_every_stage_declares_what_it_uses() -> None:
    """A stage has the build arguments that it names: builders differ in whether a stage inherits them."""
    declared: set[str] = set()
    for name, rest in instructions(TEXT):
        if name == "FROM":
            declared = set()
        elif name == "ARG":
            declared.add(rest.partition("=")[0])
        for used in re.findall(r"\$\{(SERVICE|VERSION|REVISION|SOURCE)\b", rest):
            assert used in declared, f"{name} {rest}"


def test_dependencies_and_code_are_two_layers() -> None:
    """The image takes the dependencies from a stage that has seen no code, and the code from the next."""
    copies = [rest for name, rest in instructions(TEXT) if name == "COPY" and rest.startswith("--from=")]
    assert copies == ["--from=deps /app/.venv /app/.venv", "--from=code /app/code /app/code"]


def test_a_build_needs_no_hub_and_takes_an_authority() -> None:
    """No frontend is fetched from a hub; whatever downloads takes index, password and authorities."""
    assert not TEXT.startswith("# syntax")
    runs = [rest for name, rest in instructions(TEXT) if name == "RUN" and ("pip install" in rest or "uv sync" in rest)]
    assert len(runs) == 3
    assert all("--mount=type=secret,id=ca" in run and "/run/secrets/ca" in run for run in runs)
    assert all("--mount=type=secret,id=netrc,target=/root/.netrc" in run for run in runs)
    assert "UV_DEFAULT_INDEX=${PIP_INDEX_URL}" in TEXT
    assert 'org.opencontainers.image.source="${SOURCE}"' in TEXT
