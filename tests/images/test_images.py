"""Every image is built on a real engine, and all of them do the main job together in docker compose."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from building import Images
from chart_tools import NAMES, RELEASES
from composition import Composition
from engine import ROOT, Engine
from uses import USES

from castor_devstack.testing_system import System

pytestmark = [pytest.mark.images, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("service", RELEASES)
def test_an_image_is_built(service: str, engine: Engine, images: Images) -> None:
    """It runs as nobody in particular, says what it is, and the layer of its dependencies holds nothing of ours."""
    image = images.built(service)
    print(f"\n{service}: {image.seconds:.0f} s, {image.dependencies} MB of dependencies, {image.code} MB of code")
    assert image.told["Config"]["User"] == "10001:10001"
    assert image.told["Config"]["Labels"]["org.opencontainers.image.title"] == service
    shell = ("run", "--rm", "--network", "none", "--entrypoint", "sh", f"castor/{service}:development", "-c")
    packages = engine.docker(*shell, "ls .venv/lib/python3.*/site-packages").stdout.split()
    assert "fastapi" in packages
    assert [name for name in packages if name.startswith(("castor", service.replace("-", "_")))] == []
    assert engine.docker(*shell, "touch /app/code/x", check=False).returncode != 0


@pytest.mark.parametrize("service", USES)
def test_an_image_can_use_its_packages(service: str, engine: Engine, images: Images) -> None:
    """What was left out of them is missed by nothing that the service does with them."""
    images.built(service)
    confined = ("--rm", "--read-only", "--tmpfs", "/tmp", "--network", "none", "--entrypoint", "python")
    engine.docker("run", *confined, f"castor/{service}:development", "-c", USES[service])


def test_a_change_of_the_code_changes_one_layer(engine: Engine, images: Images) -> None:
    """Whoever has the image fetches the code alone after a change of the code."""
    context = engine.scratch / "changed"
    context.mkdir()
    for name in ("pyproject.toml", "uv.lock", "Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, context)
    for name in ("chassis", "console", "tools"):
        shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("node_modules", "tests"))
    with (context / "console" / "console_service" / "__init__.py").open("a") as module:
        module.write("# changed\n")
    before = images.built("console").told["RootFS"]["Layers"]
    after = images.build("console", "castor/console:changed", engine.path(context)).told["RootFS"]["Layers"]
    engine.docker("rmi", "castor/console:changed")
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]


@pytest.fixture
def expected(engine: Engine, tmp_path: Path) -> dict[str, Any]:  # noqa: ARG001 (nothing is computed where there is none)
    """The report of `castor demo` on the sample, in a system of its own that is gone afterwards."""
    home = tmp_path / "castor"
    system = System(home, {**os.environ, "CASTOR_HOME": str(home)})
    try:
        system.castor("demo", "--report", str(tmp_path / "r.json"))
    finally:
        system.castor("down", check=False)
    report: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
    return report


def differences(one: Any, other: Any, where: str = "report") -> list[str]:
    """Say where two JSON values differ."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{where}.{key}")]
    return [] if one == other else [f"{where}: {one!r:.200} and {other!r:.200}"]


def test_the_main_job_gives_what_castor_demo_gives(expected: dict[str, Any], composition: Composition) -> None:
    """Through compose's ingress the main job finds the same; strangers are told nothing; in the end all exit with 0."""
    print(f"\ncompose: healthy after {composition.healthy_seconds:.0f} s")
    report = composition.main_job()
    print(f"main job: {report.pop('timings_s')} in compose, {expected.pop('timings_s')} by castor demo")
    assert differences(report, expected) == []
    told = {name: composition.answer_to_a_stranger(name) for name in NAMES}
    # Connected, and then told nothing; a connection that fails, or an answer in HTTP, is something else.
    assert {name: words for name, words in told.items() if words != "b''"} == {}
    ended = composition.stop()
    assert len(ended) > len(NAMES)
    assert {name: code for name, code in ended.items() if code != 0} == {}
