"""The operating-system user that PostgreSQL runs as: it refuses to run as root."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

SYSTEM_FOLDER = Path("/var/lib/castor")
USER = "castor_pg"


@dataclass(frozen=True)
class Account:
    """An unprivileged user that root runs a program as."""

    name: str
    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Return whether the user can enter ``folder``, by trying: access lists and mounts count, too."""
        return self.succeeds("/bin/sh", "-c", 'cd "$1"', "sh", str(folder))

    def succeeds(self, *command: str) -> bool:
        """Return whether a command exits with 0 when this user runs it."""
        try:
            done = subprocess.run(command, cwd="/", capture_output=True, check=False, **identity(self))
        except OSError:
            return False
        return done.returncode == 0


class Identity(TypedDict, total=False):
    """The keywords by which ``subprocess`` runs a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


def identity(account: Account | None) -> Identity:
    """Return the ``subprocess`` keywords to run a program as ``account``; None: the current user."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def postgres_account() -> Account | None:
    """Return the user for PostgreSQL, created if necessary; None when not root: the current user runs it."""
    if os.geteuid() != 0:
        return None
    with system_lock():
        entry = _lookup(USER) or _create(USER) or pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


@contextmanager
def system_lock() -> Iterator[None]:
    """Hold a lock while changing what all devstacks of a machine share: users and system folders."""
    SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(SYSTEM_FOLDER / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lookup(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create(name: str) -> pwd.struct_passwd | None:
    tool = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is None:
        return None
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    subprocess.run([tool, *options, "--shell", "/usr/sbin/nologin", name], capture_output=True, check=False)
    return _lookup(name)
