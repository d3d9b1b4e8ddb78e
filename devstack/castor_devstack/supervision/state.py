"""The state file: what runs and where. The supervisor writes it, every command reads it."""

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
from castor_devstack.supervision.state_folder import StateFolder


@dataclass
class State:
    """The content of ``state.json``."""

    phase: str = "stopped"
    """starting, ready, stopping, stopped or failed."""
    supervisor: Pid | None = None
    ports: dict[str, int] = field(default_factory=dict)
    parts: dict[str, Pid] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    """URLs and folders for people."""

    @classmethod
    def read(cls, state_folder: StateFolder) -> State:
        """Return the recorded state; a missing or damaged file reads as stopped."""
        try:
            values: dict[str, Any] = json.loads(state_folder.state_file.read_text())
            supervisor = values.pop("supervisor")
            parts = {name: Pid(**pid) for name, pid in values.pop("parts").items()}
            return cls(supervisor=Pid(**supervisor) if supervisor else None, parts=parts, **values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def write(self, state_folder: StateFolder) -> None:
        """Record this state."""
        write_atomic(state_folder.state_file, json.dumps(asdict(self), indent=1) + "\n")


def is_locked(state_folder: StateFolder) -> bool:
    """Return whether a supervisor holds the lock; the kernel releases it however that process ends."""
    if not state_folder.lock_file.exists():
        return False
    descriptor = os.open(state_folder.lock_file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # A shared lock, so that two readers do not take each other for a supervisor.
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


@contextmanager
def supervisor_lock(state_folder: StateFolder) -> Iterator[None]:
    """Hold the lock of the state folder; raises ``AlreadyRunning`` when another supervisor does."""
    descriptor = os.open(state_folder.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Several attempts, because a reader holds the lock for a moment.
        for pause in (0.05, 0.1, 0.2, 0):
            if _try_lock(descriptor, fcntl.LOCK_EX):
                break
            time.sleep(pause)
        else:
            raise AlreadyRunning(_refusal(state_folder))
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refusal(state_folder: StateFolder) -> str:
    state = State.read(state_folder)
    number = f" (process {state.supervisor.number}, {state.phase})" if state.supervisor else ""
    return (
        f"CASTOR already runs from {state_folder.root}{number}; "
        "see `castor status`, or stop it with `castor down` before starting it again."
    )
