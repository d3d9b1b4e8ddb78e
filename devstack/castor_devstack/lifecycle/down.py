"""`castor down`: ends the supervisor and everything that it started."""

from __future__ import annotations

import signal
import time

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.orphans import sweep
from castor_devstack.supervision.pids import Pid
from castor_devstack.supervision.state import State, is_locked, supervisor_lock
from castor_devstack.supervision.state_folder import Home
from castor_devstack.supervision.supervisor import Say

STOP_PATIENCE_SECONDS = 90


def bring_down(home: Home, say: Say) -> None:
    """Stop everything and return when no process is left; nothing running is fine, too."""
    if not home.root.exists():
        say("CASTOR is not running.")
        return
    began = time.monotonic()
    was_running = is_locked(home)
    if was_running:
        _end_supervisor(home)
    with supervisor_lock(home):
        left = sweep(home)
        _record_stopped(home)
    if left:
        say(f"Ended what an earlier run left behind: {', '.join(left)}.")
    say(f"CASTOR has stopped ({time.monotonic() - began:.1f} s)." if was_running or left else "CASTOR is not running.")


def _end_supervisor(home: Home) -> None:
    supervisor = State.read(home).supervisor
    deadline = time.monotonic() + STOP_PATIENCE_SECONDS
    if supervisor is not None:
        supervisor.send(signal.SIGTERM)
    while is_locked(home):
        if time.monotonic() > deadline:
            _kill(supervisor)
            return
        time.sleep(0.05)


def _kill(supervisor: Pid | None) -> None:
    if supervisor is None:
        raise DevstackError("The supervisor does not end and its process is unknown; end it by hand.")
    supervisor.send(signal.SIGKILL)
    while supervisor.alive():
        time.sleep(0.05)


def _record_stopped(home: Home) -> None:
    state = State.read(home)
    state.phase, state.supervisor, state.parts = "stopped", None, {}
    state.write(home)
