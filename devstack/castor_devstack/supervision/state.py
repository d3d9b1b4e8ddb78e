"""What runs and where: one JSON file, written whole by the supervisor, read by every command."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from castor_devstack.errors import AlreadyRunning
from castor_devstack.supervision.atomic_files import write_atomic
from castor_devstack.supervision.pids import Pid
from castor_devstack.supervision.state_folder import Home


@dataclass
class State:
    """The content of ``state.json``."""

    phase: str = "stopped"
    """starting, ready, stopping, stopped or failed."""
    supervisor: Pid | None = None
    ports: dict[str, int] = field(default_factory=dict)
    parts: dict[str, Pid] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    """What a person may want to know: URLs and folders."""

    @classmethod
    def read(cls, home: Home) -> State:
        """Return the recorded state; none, or a damaged one, reads as stopped."""
        try:
            values: dict[str, Any] = json.loads(home.state_file.read_text())
            supervisor = values.pop("supervisor")
            parts = {name: Pid(**pid) for name, pid in values.pop("parts").items()}
            return cls(supervisor=Pid(**supervisor) if supervisor else None, parts=parts, **values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def write(self, home: Home) -> None:
        """Record this state."""
        write_atomic(home.state_file, json.dumps(asdict(self), indent=1) + "\n")


def is_locked(home: Home) -> bool:
    """Tell whether a supervisor owns the state folder now; the lock ends with its process, however it ends."""
    if not home.lock_file.exists():
        return False
    descriptor = os.open(home.lock_file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Shared, so that those who only ask do not take each other for a supervisor.
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


@contextmanager
def supervisor_lock(home: Home) -> Iterator[None]:
    """Own the state folder; raises ``AlreadyRunning`` when another supervisor does."""
    descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # More than once, because somebody who only asks holds the lock for a moment.
        for pause in (0.05, 0.1, 0.2, 0):
            if _try_lock(descriptor, fcntl.LOCK_EX):
                break
            time.sleep(pause)
        else:
            raise AlreadyRunning(_refusal(home))
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refusal(home: Home) -> str:
    state = State.read(home)
    number = f" (process {state.supervisor.number}, {state.phase})" if state.supervisor else ""
    return (
        f"CASTOR already runs from {home.root}{number}; "
        "see `castor status`, or stop it with `castor down` before starting it again."
    )
