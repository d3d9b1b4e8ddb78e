"""`castor restart`: one service ends and starts again from its source; the supervisor does the second half."""

from __future__ import annotations

import asyncio
import signal
import time

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.log_lines import last_error
from castor_devstack.stack.probes import service_ready
from castor_devstack.supervision.pids import Pid
from castor_devstack.supervision.state import State, is_locked
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.supervision.supervisor import PrintLine

PATIENCE_SECONDS = 90.0


def restart_service(state_folder: StateFolder, name: str, print_line: PrintLine) -> None:
    """Restart a service and return when it is ready again, everything else running on.

    Raises ``DevstackError`` when the stack does not run, or when the service is not ready in time; with its last error.
    """
    before = State.read(state_folder).parts.get(name) if is_locked(state_folder) else None
    if before is None:
        raise DevstackError(f"{name} does not run; start everything with `castor up --detach`.")
    began = time.monotonic()
    before.send(signal.SIGTERM)
    while not _is_back(state_folder, name, before):
        if time.monotonic() - began > PATIENCE_SECONDS:
            error = last_error(state_folder.log(name))
            said = f" Its last error:\n{error.text()}" if error else ""
            raise DevstackError(f"{name} is not ready {PATIENCE_SECONDS:g} s after its end.{said}")
        time.sleep(0.1)
    print_line(f"{name} is ready again ({time.monotonic() - began:.1f} s).")


def _is_back(state_folder: StateFolder, name: str, before: Pid) -> bool:
    state = State.read(state_folder)
    if state.parts.get(name) in (None, before):
        return False
    try:
        return asyncio.run(service_ready(state.ports[f"{name}.management"]))
    except (OSError, ValueError, TimeoutError):
        return False
