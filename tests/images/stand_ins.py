"""A base image of Debian's Python, where the hub of the official one cannot be reached."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine import Engine, debian

from castor_devstack.supervision.os_user import SYSTEM_FOLDER

DOCKERFILE = Path(__file__).with_name("stand_ins") / "base.Dockerfile"
PYTHON = "localhost:5000/python"
PYTHON_ROOT = SYSTEM_FOLDER / "engine-python.tar"


def base(engine: Engine) -> dict[str, str]:
    """Push a base image to the engine's own registry; return the build arguments that name it."""
    if not PYTHON_ROOT.exists():
        partial = PYTHON_ROOT.with_name("partial-python.tar")
        debian("bookworm", partial, "python3,python3-pip,python3-venv,ca-certificates")
        partial.rename(PYTHON_ROOT)
    context = engine.scratch / "base"
    context.mkdir()
    shutil.copy(DOCKERFILE, context / "Dockerfile")
    shutil.copy(PYTHON_ROOT, context / "root.tar")
    engine.docker("build", "--quiet", "--tag", PYTHON, engine.path(context))
    shutil.rmtree(context)
    engine.docker("push", "--quiet", PYTHON)
    named = engine.docker("inspect", "--format", "{{index .RepoDigests 0}}", PYTHON).stdout.strip()
    return {"PYTHON": PYTHON, "PYTHON_DIGEST": named.partition("@")[2]}
