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
from castor_devstack.supervision.state_folder import Home
from castor_devstack.supervision.supervisor import Say

START_PATIENCE_SECONDS = 240
UP = (sys.executable, "-m", "castor_devstack", "up")


def ensure_running(home: Home, say: Say) -> State:
    """Return the state of a stack that is ready, started here if need be; raises ``DevstackError``."""
    _wait_while_stopping(home)
    if not is_locked(home):
        try:
            launch_detached(home, say)
        except DevstackError:
            # Another command may have been a moment faster; then its stack is as good as ours.
            if not is_locked(home):
                raise
    return _wait_until_ready(home)


def launch_detached(home: Home, say: Say, program: Sequence[str] = UP) -> None:
    """Start the supervisor in the background and return when all is ready; pass on its progress lines.

    ``program`` gets ``--progress-fd N`` appended: a pipe for its lines, which it closes when all is ready.
    Raises ``DevstackError`` when it did not come up. An interrupt while it starts ends it.
    """
    home.create()
    if is_locked(home):
        # Says why, in its own words.
        with supervisor_lock(home):
            return
    process, progress = _spawn(home, program)
    try:
        with progress:
            for line in progress:
                say(line.rstrip("\n"))
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_PATIENCE_SECONDS)
        raise
    # The supervisor closes its end when all is ready, or by ending.
    if State.read(home).phase != "ready" or process.poll() is not None:
        process.wait(STOP_PATIENCE_SECONDS)
        raise DevstackError(f"CASTOR did not start; the supervisor's log is {home.log('supervisor')}.")


def _spawn(home: Home, program: Sequence[str]) -> tuple[subprocess.Popen[bytes], TextIO]:
    bound_log(home.log("supervisor"))
    reading, writing = os.pipe()
    with home.log("supervisor").open("ab") as output:
        process = subprocess.Popen(
            [*program, "--progress-fd", str(writing)],
            env={**os.environ, "CASTOR_HOME": str(home.root)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            pass_fds=(writing,),
        )
    os.close(writing)
    return process, os.fdopen(reading, errors="replace")


def _wait_while_stopping(home: Home) -> None:
    deadline = time.monotonic() + STOP_PATIENCE_SECONDS
    while is_locked(home) and State.read(home).phase == "stopping":
        if time.monotonic() > deadline:
            raise DevstackError("CASTOR is stopping and does not come to an end; run `castor down`.")
        time.sleep(0.1)


def _wait_until_ready(home: Home) -> State:
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while True:
        state = State.read(home)
        if is_locked(home) and state.phase == "ready":
            return state
        if not is_locked(home) or time.monotonic() > deadline:
            raise DevstackError(f"CASTOR did not become ready; the supervisor's log is {home.log('supervisor')}.")
        time.sleep(0.2)
