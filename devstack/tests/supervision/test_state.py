"""The state folder, its lock and its state file."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from castor_devstack.errors import AlreadyRunning
from castor_devstack.supervision.pids import Pid
from castor_devstack.supervision.state import State, is_locked, supervisor_lock
from castor_devstack.supervision.state_folder import StateFolder, checkout_root, find_state_folder


@pytest.fixture
def state_folder(tmp_path: Path) -> StateFolder:
    """A new state folder."""
    state_folder = StateFolder(tmp_path / "state")
    state_folder.create()
    return state_folder


def test_one_supervisor_owns_a_state_folder(state_folder: StateFolder) -> None:
    """While the lock is held a second one is refused with a sentence that names process and way out."""
    with supervisor_lock(state_folder):
        State("ready", Pid.of(os.getpid())).write(state_folder)
        assert is_locked(state_folder)
        with (
            pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}, ready.*castor down"),
            supervisor_lock(state_folder),
        ):
            pass
    assert not is_locked(state_folder)


def test_asking_never_hinders_a_start(state_folder: StateFolder) -> None:
    """However many commands look at the lock, a supervisor gets it, and they do not see each other."""
    with supervisor_lock(state_folder):
        pass
    over = threading.Event()
    seen: list[bool] = []

    def look() -> None:
        while not over.is_set():
            seen.append(is_locked(state_folder))

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    time.sleep(0.1)
    held_before = any(seen)
    with supervisor_lock(state_folder):
        over.set()
    for watcher in watchers:
        watcher.join()
    assert len(seen) > 10
    assert not held_before


def test_a_state_comes_back_as_it_was_written(state_folder: StateFolder) -> None:
    """Writing and reading are inverse; a damaged file reads as stopped."""
    state = State("ready", Pid(1, 2.5), {"api": 8501}, {"valkey": Pid(3, 4.5)}, {"ca": "/x"})
    state.write(state_folder)
    assert State.read(state_folder) == state
    state_folder.state_file.write_text('{"phase": "ready", "parts": [')
    assert State.read(state_folder) == State()


def test_the_state_folder_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It lies in the checkout of this code, whatever the current folder is, unless CASTOR_HOME says otherwise."""
    monkeypatch.delenv("CASTOR_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    root = Path(__file__).resolve().parents[3]
    assert checkout_root() == root
    assert find_state_folder() == StateFolder(root / ".castor")
    monkeypatch.setenv("CASTOR_HOME", str(tmp_path / "elsewhere"))
    assert find_state_folder() == StateFolder(tmp_path / "elsewhere")
