"""`castor down`: ends the supervisor and everything that it started."""

from __future__ import annotations

import signal
import time

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.orphans import end_orphans
from castor_devstack.supervision.pids import Pid
from castor_devstack.supervision.state import State, is_locked, supervisor_lock
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.supervision.supervisor import PrintLine

STOP_PATIENCE_SECONDS = 90


def stop_stack(state_folder: StateFolder, print_line: PrintLine) -> None:
    """Stop everything and return when no process is left; does nothing when nothing runs."""
    if not state_folder.root.exists():
        print_line("CASTOR is not running.")
        return
    began = time.monotonic()
    was_running = is_locked(state_folder)
    if was_running:
        _end_supervisor(state_folder)
    with supervisor_lock(state_folder):
        left = end_orphans(state_folder)
        _record_stopped(state_folder)
    if left:
        print_line(f"Ended processes that an earlier run left behind: {', '.join(left)}.")
    print_line(
        f"CASTOR has stopped ({time.monotonic() - began:.1f} s)." if was_running or left else "CASTOR is not running."
    )


def _end_supervisor(state_folder: StateFolder) -> None:
    supervisor = State.read(state_folder).supervisor
    deadline = time.monotonic() + STOP_PATIENCE_SECONDS
    if supervisor is not None:
        supervisor.send(signal.SIGTERM)
    while is_locked(state_folder):
        if time.monotonic() > deadline:
            _kill(supervisor)
            return
        time.sleep(0.05)


def _kill(supervisor: Pid | None) -> None:
    if supervisor is None:
        raise DevstackError("The supervisor does not stop and its process id is unknown; end it by hand.")
    supervisor.send(signal.SIGKILL)
    while supervisor.alive():
        time.sleep(0.05)


def _record_stopped(state_folder: StateFolder) -> None:
    state = State.read(state_folder)
    state.phase, state.supervisor, state.parts = "stopped", None, {}
    state.write(state_folder)
