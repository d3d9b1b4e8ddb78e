"""Ports, the lock, the state file, secrets, and what is done about the leavings of a crash."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from castor_devstack.errors import AlreadyRunning, DevstackError
from castor_devstack.lifecycle.orphans import sweep
from castor_devstack.stack.credentials import Credentials
from castor_devstack.stack.ports import PortLeases, is_free
from castor_devstack.supervision.atomic_files import bound_log, last_lines, write_atomic
from castor_devstack.supervision.pids import MARK, Pid, mark
from castor_devstack.supervision.state import State, is_locked, supervisor_lock
from castor_devstack.supervision.state_folder import Home, checkout_root, find_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new state folder."""
    home = Home(tmp_path / "state")
    home.create()
    return home


@pytest.fixture
def leases() -> Iterator[PortLeases]:
    """Leases that end with the test."""
    leases = PortLeases()
    yield leases
    leases.release()


def test_a_taken_port_is_replaced(leases: PortLeases) -> None:
    """A port that another program serves, on IPv4 or on all addresses, is not chosen."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.create_server((address, 0)) as other:
            taken = other.getsockname()[1]
            chosen = leases.choose({"api": taken})["api"]
            assert chosen != taken
            assert is_free(chosen)


def test_a_free_port_is_taken_as_wished(leases: PortLeases) -> None:
    """The preferred port is chosen when it is free, also right after a connection on it was closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert leases.choose({"api": port}) == {"api": port}


def test_two_devstacks_never_choose_the_same_port(leases: PortLeases) -> None:
    """A port that one has chosen but not bound yet is not chosen by another; after its release it is."""
    others = PortLeases()
    port = leases.choose({"api": 0})["api"]
    assert others.choose({"api": port})["api"] != port
    leases.release()
    assert others.choose({"again": port})["again"] == port
    others.release()


def test_one_supervisor_owns_a_state_folder(home: Home) -> None:
    """While the lock is held a second one is refused with a sentence that names process and way out."""
    with supervisor_lock(home):
        State("ready", Pid.of(os.getpid())).write(home)
        assert is_locked(home)
        with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}, ready.*castor down"), supervisor_lock(home):
            pass
    assert not is_locked(home)


def test_asking_never_hinders_a_start(home: Home) -> None:
    """However many commands look at the lock, a supervisor gets it, and they do not see each other."""
    with supervisor_lock(home):
        pass
    over = threading.Event()
    seen: list[bool] = []

    def look() -> None:
        while not over.is_set():
            seen.append(is_locked(home))

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    time.sleep(0.1)
    held_before = any(seen)
    with supervisor_lock(home):
        over.set()
    for watcher in watchers:
        watcher.join()
    assert len(seen) > 10
    assert not held_before


def test_a_state_comes_back_as_it_was_written(home: Home) -> None:
    """Writing and reading are inverse; a damaged file reads as stopped."""
    state = State("ready", Pid(1, 2.5), {"api": 8501}, {"valkey": Pid(3, 4.5)}, {"ca": "/x"})
    state.write(home)
    assert State.read(home) == state
    home.state_file.write_text('{"phase": "ready", "parts": [')
    assert State.read(home) == State()


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


def test_secrets_are_made_once_and_kept_private(home: Home) -> None:
    """A secret stays the same over restarts, the file is its owner's alone, and two commands do not lose secrets."""
    first, second = Credentials.load(home.secrets_file), Credentials.load(home.secrets_file)
    password = first.get("postgres")
    second.keep("users", "ana@example.org", "hers")
    first.keep("users", "eva@example.org", "hers, too")
    again = Credentials.load(home.secrets_file)
    assert again.get("postgres") == password
    assert again.recall("users", "ana@example.org") == "hers"
    assert again.recall("users", "eva@example.org") == "hers, too"
    assert home.secrets_file.stat().st_mode & 0o077 == 0


def test_a_damaged_secrets_file_is_said_so(home: Home) -> None:
    """Nothing is generated over a file that cannot be read."""
    home.secrets_file.write_text("{")
    with pytest.raises(DevstackError, match="restore it or remove it"):
        Credentials.load(home.secrets_file)


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """While a file is replaced again and again, every reading is one of the whole contents."""
    path = tmp_path / "file"
    contents = ["a" * 100_000, "b" * 50_000]
    write_atomic(path, contents[0])
    over = threading.Event()

    def rewrite() -> None:
        while not over.is_set():
            for content in contents:
                write_atomic(path, content)

    writer = threading.Thread(target=rewrite)
    writer.start()
    readings = {path.read_text() for _ in range(200)}
    over.set()
    writer.join()
    assert readings <= set(contents)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_log_is_bounded_while_it_is_written(tmp_path: Path) -> None:
    """A log over the limit moves aside; a program that has it open goes on writing into the emptied file."""
    log = tmp_path / "x.log"
    with log.open("a") as writer:
        writer.write("old\n" * 100)
        writer.flush()
        bound_log(log, limit_bytes=100)
        writer.write("new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "x.log.1").read_text() == "old\n" * 100
    assert last_lines(tmp_path / "x.log.1", 2) == ["old", "old"]


def test_the_state_folder_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It lies in the checkout of this code, whatever the current folder is, unless CASTOR_HOME says otherwise."""
    monkeypatch.delenv("CASTOR_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    root = Path(__file__).resolve().parents[3]
    assert checkout_root() == root
    assert find_home() == Home(root / ".castor")
    monkeypatch.setenv("CASTOR_HOME", str(tmp_path / "elsewhere"))
    assert find_home() == Home(tmp_path / "elsewhere")
