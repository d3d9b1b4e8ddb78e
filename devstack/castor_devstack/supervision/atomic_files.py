"""Atomic replacement of files, and logs of bounded size."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

LOG_LIMIT_BYTES = 10_000_000


def write_atomic(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Replace a file atomically: a reader, also after a crash, sees the old content or the new one."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def point_at(link: Path, target: str) -> None:
    """Make the symbolic link ``link`` point at ``target``, atomically."""
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    temporary.symlink_to(target)
    os.replace(temporary, link)


def bound_log(path: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Copy a log larger than the limit to ``<name>.1`` and truncate it.

    The writing process keeps its descriptor and goes on appending. Lines written between copy and truncation
    are lost, which is acceptable for a development log.
    """
    if not path.exists() or path.stat().st_size <= limit_bytes:
        return
    shutil.copyfile(path, path.with_name(path.name + ".1"))
    os.truncate(path, 0)


def last_lines(path: Path, count: int) -> list[str]:
    """Return up to ``count`` last lines of a text file, reading its last 256 kB at most."""
    if count <= 0 or not path.exists():
        return []
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 262_144))
        text = file.read().decode(errors="replace")
    return text.splitlines()[-count:]


def remove_tree(path: Path) -> None:
    """Remove a folder and its content; an absent folder is no error."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)
