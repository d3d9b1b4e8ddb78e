"""Processes that a killed supervisor left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from castor_devstack.lifecycle.orphans import sweep
from castor_devstack.supervision.pids import MARK, Pid, mark
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new state folder."""
    home = Home(tmp_path / "state")
    home.create()
    return home


def test_what_a_killed_supervisor_left_is_ended(home: Home) -> None:
    """Recorded parts and what they started are ended, even if they ignore SIGTERM; strangers are not."""
    deaf = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
    recorded = subprocess.Popen(["sleep", "600"])
    marked = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: mark(home.root, "x")})
    stranger = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: mark(Path("/other"), "x")})
    recycled = subprocess.Popen(deaf)
    try:
        known = Pid.of(recorded.pid)
        assert known is not None
        parts = {"valkey": known, "ingress": Pid(recycled.pid, known.started - 3600)}
        State("ready", Pid(recorded.pid, 1), {}, parts).write(home)
        assert sweep(home) == ["valkey"]
        assert recorded.wait(5) == -signal.SIGTERM
        assert marked.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert recycled.poll() is None
    finally:
        for process in (recorded, marked, stranger, recycled):
            process.kill()
            process.wait()
