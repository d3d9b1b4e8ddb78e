"""Processes identified by id and start time, so that a reused process id is not mistaken for ours."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

MARK = "CASTOR_PART"


@dataclass(frozen=True)
class Pid:
    """A process id with its start time; unlike the id alone it is never reused."""

    number: int
    started: float
    """Unix seconds."""

    @classmethod
    def of(cls, number: int) -> Pid | None:
        """Return the process that has this id now, or None."""
        try:
            return cls(number, float(psutil.Process(number).create_time()))
        except psutil.Error:
            return None

    def alive(self) -> bool:
        """Return whether it still runs; a zombie does not."""
        try:
            process = psutil.Process(self.number)
            # Start times are computed from the boot time, which changes when the clock is adjusted.
            same = abs(process.create_time() - self.started) < 2
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def environment(self) -> dict[str, str]:
        """Return the variables that it was started with; none where it is gone or belongs to somebody else."""
        try:
            return dict(psutil.Process(self.number).environ()) if self.alive() else {}
        except (psutil.Error, OSError):
            return {}

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.number, number)


def mark(state_folder: Path, part: str) -> str:
    """Return the value of ``CASTOR_PART`` that finds a part, and its child processes, later."""
    return f"{part}@{state_folder}"


def marked(state_folder: Path) -> list[Pid]:
    """Return every process whose environment has the mark of this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            belongs = process.environ().get(MARK, "").endswith(f"@{state_folder}")
        except (psutil.Error, OSError):
            continue
        if belongs and process.pid != os.getpid():
            found.append(Pid.of(process.pid))
    return [pid for pid in found if pid is not None]


def serving_postgres(data: Path) -> Pid | None:
    """Return the PostgreSQL server of a data folder: it has the recorded process id and runs in that folder."""
    number = _recorded(data)
    try:
        works_in = Path(psutil.Process(number).cwd()) if number else None
    except psutil.Error:
        return None
    return Pid.of(number) if number and works_in == data else None


def recorded_pid_is_alive(data: Path) -> bool:
    """Return whether any process has the id that the data folder records for its server."""
    number = _recorded(data)
    return number is not None and bool(psutil.pid_exists(number))


def _recorded(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def end_all(pids: Iterable[Pid], *, patience_seconds: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Send ``first`` to all, wait up to ``patience_seconds`` for all of them, kill those that remain."""
    waiting = list(pids)
    for pid in waiting:
        pid.send(first)
    deadline = time.monotonic() + patience_seconds
    while waiting and time.monotonic() < deadline:
        time.sleep(0.05)
        waiting = [pid for pid in waiting if pid.alive()]
    for pid in waiting:
        pid.send(signal.SIGKILL)


def end_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to what is left of the process group of a part."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
