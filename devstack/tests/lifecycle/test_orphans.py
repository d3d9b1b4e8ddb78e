"""Processes that a killed supervisor left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from castor_devstack.lifecycle.orphans import end_orphans
from castor_devstack.supervision.pids import MARK, Pid, mark
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import StateFolder


@pytest.fixture
def state_folder(tmp_path: Path) -> StateFolder:
    """A new state folder."""
    state_folder = StateFolder(tmp_path / "state")
    state_folder.create()
    return state_folder


def test_what_a_killed_supervisor_left_is_ended(state_folder: StateFolder) -> None:
    """Recorded parts and what they started are ended, even if they ignore SIGTERM; strangers are not."""
    deaf = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
    recorded = subprocess.Popen(["sleep", "600"])
    marked = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: mark(state_folder.root, "x")})
    stranger = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: mark(Path("/other"), "x")})
    recycled = subprocess.Popen(deaf)
    try:
        known = Pid.of(recorded.pid)
        assert known is not None
        parts = {"valkey": known, "ingress": Pid(recycled.pid, known.started - 3600)}
        State("ready", Pid(recorded.pid, 1), {}, parts).write(state_folder)
        assert end_orphans(state_folder) == ["valkey"]
        assert recorded.wait(5) == -signal.SIGTERM
        assert marked.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert recycled.poll() is None
    finally:
        for process in (recorded, marked, stranger, recycled):
            process.kill()
            process.wait()
