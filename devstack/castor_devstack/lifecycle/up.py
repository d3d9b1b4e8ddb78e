"""`castor up`: runs the whole stack in the foreground until a signal."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from castor_devstack.lifecycle.orphans import end_orphans
from castor_devstack.lifecycle.plan import StackPlan
from castor_devstack.lifecycle.reload import restart_on_change
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.sandbox import with_port
from castor_devstack.stack.services import INGRESS, PREFERRED_PORTS, SERVICES, Service
from castor_devstack.supervision.pids import Pid
from castor_devstack.supervision.state import State, supervisor_lock
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.supervision.supervisor import Hooks, PrintLine, Supervisor, supervise

LOG_CHECK_SECONDS = 60
CERTIFICATE_CHECK_SECONDS = 3600


@dataclass(frozen=True)
class StackOptions:
    """Which services to run, on which ports; tests run fewer of them, on free ports."""

    services: Sequence[Service] = SERVICES
    ports: Mapping[str, int] = field(default_factory=lambda: PREFERRED_PORTS)
    """Preferred port of each part; 0: any."""
    reload: bool = False
    """Whether a service restarts when its source changes."""
    stubs: Sequence[Service] = ()
    """Services of which the others reach a stub."""
    durable: bool = True
    """False: PostgreSQL need not survive a crash of the machine."""


def run_stack(
    state_folder: StateFolder,
    print_line: PrintLine,
    on_ready: Callable[[], None] = lambda: None,
    options: StackOptions | None = None,
) -> None:
    """Start everything and run until a signal; raises ``DevstackError`` when a part does not start.

    Every process that was started has ended when this returns or raises.
    """
    options = options or StackOptions()
    state_folder.create()
    with supervisor_lock(state_folder):
        # First, so that no command reads the state of a supervisor that was killed.
        replace(State.read(state_folder), phase="starting", supervisor=Pid.of(os.getpid())).write(state_folder)
        _end_leftovers(state_folder, print_line)
        leases = PortLeases(str(state_folder.root))
        ports = _chosen_ports(leases, options, print_line)
        state = State("starting", Pid.of(os.getpid()), ports)
        state.write(state_folder)
        try:
            with _end_recorded(state, state_folder):
                stack = StackPlan(state_folder, ports, options.services, durable=options.durable, stubs=options.stubs)
                asyncio.run(_run(stack, state, print_line, on_ready, reload=options.reload))
        finally:
            leases.release()


def _chosen_ports(leases: PortLeases, options: StackOptions, print_line: PrintLine) -> dict[str, int]:
    preferred = with_port(options.ports)
    ports = leases.choose(preferred)
    _print_moved_ports(ports, preferred, print_line)
    return ports


@contextmanager
def _end_recorded(state: State, state_folder: StateFolder) -> Iterator[None]:
    """Record ``stopped`` at the end, or ``failed`` when an error ends the block."""
    phase = "failed"
    try:
        yield
        phase = "stopped"
    finally:
        state.phase, state.supervisor = phase, None
        state.write(state_folder)


async def _run(
    stack: StackPlan, state: State, print_line: PrintLine, on_ready: Callable[[], None], *, reload: bool
) -> None:
    began = time.monotonic()
    state.facts = stack.facts()
    supervisor = Supervisor(stack.state_folder, stack.items(), state, print_line)

    def ready() -> None:
        state.phase = "ready"
        state.write(stack.state_folder)
        print_line(_welcome(stack, time.monotonic() - began))
        on_ready()

    def stopping() -> None:
        state.phase = "stopping"
        state.write(stack.state_folder)
        print_line("Stopping.")

    maintain = _maintenance(supervisor, stack, print_line)

    async def maintain_and_reload() -> None:
        watch = restart_on_change(stack.services, supervisor.restart, stack.migrate, print_line)
        await asyncio.gather(maintain(), watch)

    await supervise(supervisor, Hooks(ready, stopping, maintain_and_reload if reload else maintain))


def _maintenance(supervisor: Supervisor, stack: StackPlan, print_line: PrintLine) -> Callable[[], Awaitable[None]]:
    async def maintain() -> None:
        renewed_at = time.monotonic()
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            try:
                supervisor.trim_logs()
                if time.monotonic() - renewed_at > CERTIFICATE_CHECK_SECONDS:
                    renewed_at = time.monotonic()
                    _renew(supervisor, stack, print_line)
            except OSError as error:
                print_line(f"  maintenance failed and is tried again: {error}")

    return maintain


def _renew(supervisor: Supervisor, stack: StackPlan, print_line: PrintLine) -> None:
    renewed = stack.renew_certificates()
    if renewed:
        print_line(f"  certificates renewed: {', '.join(renewed)}")
        supervisor.restart(INGRESS)


def _end_leftovers(state_folder: StateFolder, print_line: PrintLine) -> None:
    left = end_orphans(state_folder)
    if left:
        print_line(f"Ended processes that an earlier run left behind: {', '.join(left)}.")


def _print_moved_ports(ports: Mapping[str, int], preferred: Mapping[str, int], print_line: PrintLine) -> None:
    moved = {name: port for name, port in ports.items() if preferred[name] not in (0, port)}
    if INGRESS in moved:
        print_line(f"Port {preferred[INGRESS]} is taken; the ingress listens on {moved[INGRESS]} instead.")
    elif moved:
        print_line(f"Some ports were taken; free ones are used instead (see `castor status`): {', '.join(moved)}.")


def _welcome(stack: StackPlan, seconds: float) -> str:
    return (
        f"CASTOR is ready after {seconds:.1f} s: {stack.ingress_url}\n"
        "  the console is there; sign in as admin@castor.example with what `castor password` prints\n"
        f"  trust its certificate: curl --cacert {stack.state_folder.authority_file} ...\n"
        "  a token: castor token      state: castor status      stop: castor down\n"
        f"  castor without its path: export PATH={Path(sys.executable).parent}:$PATH"
    )
