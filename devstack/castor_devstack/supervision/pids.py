"""Processes by number and start time, so that a recycled number is never taken for ours."""

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
    """One process for all time."""

    number: int
    started: float
    """Unix seconds."""

    @classmethod
    def of(cls, number: int) -> Pid | None:
        """Return the process that has this number now, or None."""
        try:
            return cls(number, float(psutil.Process(number).create_time()))
        except psutil.Error:
            return None

    def alive(self) -> bool:
        """Tell whether it still runs; one that ended and awaits its parent does not."""
        try:
            process = psutil.Process(self.number)
            # The boot time that start times are computed from may be adjusted by the clock.
            same = abs(process.create_time() - self.started) < 2
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.number, number)


def mark(home: Path, part: str) -> str:
    """Return the value by which a part, and all that it starts, can be found later."""
    return f"{part}@{home}"


def marked(home: Path) -> list[Pid]:
    """Return every process that descends from a part of this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            belongs = process.environ().get(MARK, "").endswith(f"@{home}")
        except (psutil.Error, OSError):
            continue
        if belongs and process.pid != os.getpid():
            found.append(Pid.of(process.pid))
    return [pid for pid in found if pid is not None]


def serving_postgres(data: Path) -> Pid | None:
    """Return the PostgreSQL that serves a data folder: it has the recorded number and works in there."""
    number = _recorded(data)
    try:
        works_in = Path(psutil.Process(number).cwd()) if number else None
    except psutil.Error:
        return None
    return Pid.of(number) if number and works_in == data else None


def recorded_pid_is_alive(data: Path) -> bool:
    """Tell whether any program has the number that the data folder records for its server."""
    number = _recorded(data)
    return number is not None and bool(psutil.pid_exists(number))


def _recorded(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def end_all(pids: Iterable[Pid], *, patience_seconds: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Ask all to end, wait for them together, kill those that remain."""
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
    """Send a signal to what is left of the process group that a part led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
