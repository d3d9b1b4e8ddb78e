"""What images leave out: nothing that a service imports, and of packages nothing that they need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from chart_tools import ROOT

from tools.slim import left_out, slim

PROJECTS = {path.parent.name: path for path in ROOT.glob("*-service/pyproject.toml") if left_out(path)}
PACKAGES = Path(sysconfig.get_path("platlib"))


@pytest.mark.parametrize("service", PROJECTS)
def test_a_service_imports_nothing_that_its_image_leaves_out(service: str) -> None:
    """Each package of ``image-without`` is in the lock, and no module of the service imports one."""
    lock, names = (ROOT / "uv.lock").read_text(), left_out(PROJECTS[service])
    assert [name for name in names if f'\nname = "{name}"\n' not in lock] == []
    modules = [
        module
        for module, given in metadata.packages_distributions().items()
        if {re.sub(r"[-_.]+", "-", name).lower() for name in given} & {*names}
    ]
    assert len(modules) >= len(names)
    imported = re.compile(rf"^\s*(?:import|from) (?:{'|'.join(modules)})\b", re.MULTILINE)
    sources = [*(ROOT / service).glob("*_service/**/*.py"), *ROOT.glob("chassis/castor_chassis/**/*.py")]
    assert [str(path) for path in sources if imported.search(path.read_text())] == []


def test_a_slim_package_works(tmp_path: Path) -> None:
    """Libraries without symbols load, copies of one are links, and neither tests nor sources are left."""
    for name in ("uvloop", "asyncpg", "httptools"):
        shutil.copytree(PACKAGES / name, tmp_path / name)
    before = {path: path.stat().st_size for path in tmp_path.rglob("*.so*")}
    shutil.copy(next(path for path in before if path.parent.name == "uvloop"), tmp_path / "uvloop" / "copy.so.1")
    slim(tmp_path)
    assert sum(path.lstat().st_size for path in before if path.exists()) < 0.5 * sum(before.values())
    assert sum(path.is_symlink() for path in (tmp_path / "uvloop").glob("*.so*")) == 1
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".pyx", ".pxd", ".h")] == []
    script = "import asyncpg.protocol.protocol, httptools, uvloop\n"
    script += "uvloop.new_event_loop().close()\nprint(uvloop.__file__)"
    given = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=given, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(str(tmp_path)), done.stderr


def test_what_is_no_library_stays(tmp_path: Path) -> None:
    """A linker script, or another machine's library, is left as it is."""
    files = {"libm.so": b"GROUP ( libm.so.6 )", "big.so": b"\x7fELF\x02\x02" + b"x" * 99, "module.py": b"x = 1\n"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    slim(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
