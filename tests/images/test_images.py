"""Every image is built on a real engine, and docker compose starts, serves and stops with them."""

from __future__ import annotations

import shutil

import pytest
from building import Images
from chart_tools import RELEASES
from composition import Composition
from engine import ROOT, Engine

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


def test_a_change_of_the_code_changes_one_layer(engine: Engine, images: Images) -> None:
    """Whoever has the image fetches the code alone after a change of the code."""
    context = engine.scratch / "changed"
    context.mkdir()
    for name in ("pyproject.toml", "uv.lock", "Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, context)
    for name in ("chassis", "console"):
        shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("node_modules", "tests"))
    with (context / "console" / "console_service" / "__init__.py").open("a") as module:
        module.write("# changed\n")
    before = images.built("console").told["RootFS"]["Layers"]
    after = images.build("console", "castor/console:changed", engine.path(context)).told["RootFS"]["Layers"]
    engine.docker("rmi", "castor/console:changed")
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]


def test_compose_serves_a_login_and_stops_in_good_order(composition: Composition) -> None:
    """Secrets, certificates, database and migration are in place, so a login succeeds; in the end all exit with 0."""
    print(f"\ncompose: healthy after {composition.healthy_seconds:.0f} s")
    composition.log_in()
    ended = composition.stop()
    assert len(ended) == 8
    assert {name: code for name, code in ended.items() if code != 0} == {}
