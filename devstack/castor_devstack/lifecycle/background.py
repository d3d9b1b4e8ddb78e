"""`castor up --detach`: the supervisor in the background, and waiting until it is ready."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.down import STOP_PATIENCE_SECONDS
from castor_devstack.supervision.atomic_files import bound_log
from castor_devstack.supervision.state import State, is_locked, supervisor_lock
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.supervision.supervisor import PrintLine

START_PATIENCE_SECONDS = 240
UP = (sys.executable, "-m", "castor_devstack", "up")


def ensure_running(state_folder: StateFolder, print_line: PrintLine) -> State:
    """Start the stack unless it runs, wait until it is ready, and return its state; raises ``DevstackError``."""
    _wait_while_stopping(state_folder)
    if not is_locked(state_folder):
        try:
            launch_detached(state_folder, print_line)
        except DevstackError:
            # Another command may have started the stack at the same moment; then that one is used.
            if not is_locked(state_folder):
                raise
    return _wait_until_ready(state_folder)


def launch_detached(state_folder: StateFolder, print_line: PrintLine, program: Sequence[str] = UP) -> None:
    """Start the supervisor in the background and return when all is ready; pass on its progress lines.

    ``program`` gets ``--progress-fd N`` appended: a pipe for its lines, which it closes when all is ready.
    Raises ``DevstackError`` when the stack does not start. Ctrl-C during the start stops it.
    """
    state_folder.create()
    if is_locked(state_folder):
        # Raises AlreadyRunning with a message that names the process.
        with supervisor_lock(state_folder):
            return
    process, progress = _spawn(state_folder, program)
    try:
        with progress:
            for line in progress:
                print_line(line.rstrip("\n"))
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_PATIENCE_SECONDS)
        raise
    # The supervisor closes its end when all is ready, or by ending.
    if State.read(state_folder).phase != "ready" or process.poll() is not None:
        process.wait(STOP_PATIENCE_SECONDS)
        raise DevstackError(f"CASTOR did not start; the supervisor's log is {state_folder.log('supervisor')}.")


def _spawn(state_folder: StateFolder, program: Sequence[str]) -> tuple[subprocess.Popen[bytes], TextIO]:
    bound_log(state_folder.log("supervisor"))
    reading, writing = os.pipe()
    with state_folder.log("supervisor").open("ab") as output:
        process = subprocess.Popen(
            [*program, "--progress-fd", str(writing)],
            env={**os.environ, "CASTOR_HOME": str(state_folder.root)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            pass_fds=(writing,),
        )
    os.close(writing)
    return process, os.fdopen(reading, errors="replace")


def _wait_while_stopping(state_folder: StateFolder) -> None:
    deadline = time.monotonic() + STOP_PATIENCE_SECONDS
    while is_locked(state_folder) and State.read(state_folder).phase == "stopping":
        if time.monotonic() > deadline:
            raise DevstackError("CASTOR has been stopping for too long; run `castor down`.")
        time.sleep(0.1)


def _wait_until_ready(state_folder: StateFolder) -> State:
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while True:
        state = State.read(state_folder)
        if is_locked(state_folder) and state.phase == "ready":
            return state
        if not is_locked(state_folder) or time.monotonic() > deadline:
            raise DevstackError(
                f"CASTOR did not become ready; the supervisor's log is {state_folder.log('supervisor')}."
            )
        time.sleep(0.2)
