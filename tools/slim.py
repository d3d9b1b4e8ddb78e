"""Make what an image installs smaller. The Dockerfile runs it; standard library only.

    python tools/slim.py run rag-service/pyproject.toml --no-emit-package uv export ...
    python tools/slim.py environment .venv/lib/python3.11/site-packages

`run` runs a command with an option for each package that the image of a service goes without: `image-without` in the
table `[tool.castor]` of its pyproject.toml names what dependencies ask for and no code of the service reaches.

`environment` removes from installed packages what a running service does not read.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

TESTS = ("test", "tests")
SOURCES = (".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".o", ".pxd", ".pxi", ".pyx")
NEVER_LOADED = (
    # Of 500 architectures one is loaded; its modules are compiled then.
    "transformers/models/*/__pycache__",
    # Arrow's remote procedure calls and S3; pyarrow imports both on demand or not at all.
    "pyarrow/*flight*.so*", "pyarrow/*s3*.so*",
    # The compiler of Stan models: Prophet's model is compiled.
    "prophet/stan_model/cmdstan-*/bin/*",
    "statsmodels/datasets/*/*.csv", "matplotlib/mpl-data/sample_data",
)  # fmt: skip
_ELF64_LITTLE = b"\x7fELF\x02\x01"


def left_out(project: Path) -> list[str]:
    """Return the packages that the image of a pyproject.toml goes without."""
    own = tomllib.loads(project.read_text()).get("tool", {}).get("castor", {})
    return list(own.get("image-without", ()))


def slim(packages: Path) -> None:
    """Remove what is not read from a folder of installed packages; files are replaced, never written in place."""
    for path in list(_unread(packages)):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    for library in sorted(path for path in packages.rglob("*.so*") if path.is_file() and not path.is_symlink()):
        _strip(library)
    for folder in {path.parent for path in packages.rglob("*.so.*")}:
        _link_copies(folder)


def _unread(packages: Path) -> Iterator[Path]:
    for pattern in NEVER_LOADED:
        yield from packages.glob(pattern)
    for path in packages.rglob("*"):
        if path.name in TESTS if path.is_dir() else path.suffix in SOURCES:
            yield path


def _strip(library: Path) -> None:
    """Cut off what follows the last segment that a program's loader reads: symbols, debug information, their names."""
    content = library.read_bytes()
    if not content.startswith(_ELF64_LITTLE):
        return
    header = bytearray(content[: _end_of_segments(content)])
    struct.pack_into("<Q", header, 40, 0)  # e_shoff: there is no table of sections
    struct.pack_into("<HH", header, 60, 0, 0)  # e_shnum, e_shstrndx
    _replace(library, bytes(header))


def _end_of_segments(content: bytes) -> int:
    (start,) = struct.unpack_from("<Q", content, 32)
    size, number = struct.unpack_from("<HH", content, 54)
    ends: list[int] = [start + size * number]
    for place in range(start, start + size * number, size):
        _, _, offset, _, _, in_file, _, _ = struct.unpack_from("<IIQQQQQQ", content, place)
        ends.append(offset + in_file)
    return max(ends)


def _replace(file: Path, content: bytes) -> None:
    # A package cache may hold the same file.
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(content)
    new.chmod(file.stat().st_mode)
    new.replace(file)


def _link_copies(folder: Path) -> None:
    """Make one file of equal libraries: a wheel holds no links, and has a library once for each of its names."""
    first: dict[bytes, Path] = {}
    for library in sorted(path for path in folder.glob("*.so*") if path.is_file() and not path.is_symlink()):
        original = first.setdefault(library.read_bytes(), library)
        if original != library:
            library.unlink()
            library.symlink_to(original.name)


if __name__ == "__main__":
    if sys.argv[1] == "run":
        project, option, *command = sys.argv[2:]
        os.execvp(command[0], [*command, *(f"{option}={name}" for name in left_out(Path(project)))])
    slim(Path(sys.argv[2]))
