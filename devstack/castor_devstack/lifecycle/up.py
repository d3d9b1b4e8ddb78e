"""`castor up`: owns the state folder, runs the whole stack, and says what happens."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from castor_devstack.lifecycle.orphans import sweep
from castor_devstack.lifecycle.plan import Stack
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.sandbox import with_port
from castor_devstack.stack.services import INGRESS, PREFERRED_PORTS, SERVICES, Service
from castor_devstack.supervision.pids import Pid
from castor_devstack.supervision.state import State, supervisor_lock
from castor_devstack.supervision.state_folder import Home
from castor_devstack.supervision.supervisor import Hooks, Say, Supervisor, supervise

LOG_CHECK_SECONDS = 60
CERTIFICATE_CHECK_SECONDS = 3600


@dataclass(frozen=True)
class Wanted:
    """What to run; tests run less, on other ports."""

    services: Sequence[Service] = SERVICES
    ports: Mapping[str, int] = field(default_factory=lambda: PREFERRED_PORTS)
    """Preferred port of each part; 0: any."""
    durable: bool = True
    """False: PostgreSQL need not survive a crash of the machine."""


def run_stack(home: Home, say: Say, on_ready: Callable[[], None] = lambda: None, wanted: Wanted | None = None) -> None:
    """Start everything and stay until a signal; raises ``DevstackError`` when a part does not start.

    Whatever happens, all that was started has ended when this returns.
    """
    wanted = wanted or Wanted()
    home.create()
    with supervisor_lock(home):
        # First of all, so that nobody takes what a killed predecessor left in the file for our word.
        replace(State.read(home), phase="starting", supervisor=Pid.of(os.getpid())).write(home)
        _clean_up(home, say)
        leases = PortLeases()
        preferred = with_port(wanted.ports)
        ports = leases.choose(preferred)
        _say_moved(ports, preferred, say)
        state = State("starting", Pid.of(os.getpid()), ports)
        state.write(home)
        try:
            asyncio.run(_run(Stack(home, ports, wanted.services, durable=wanted.durable), state, say, on_ready))
            state.phase = "stopped"
        finally:
            state.phase = "stopped" if state.phase == "stopped" else "failed"
            state.supervisor = None
            state.write(home)
            leases.release()


async def _run(stack: Stack, state: State, say: Say, on_ready: Callable[[], None]) -> None:
    began = time.monotonic()
    state.facts = stack.facts()
    supervisor = Supervisor(stack.home, stack.plan(), state, say)

    def ready() -> None:
        state.phase = "ready"
        state.write(stack.home)
        say(_welcome(stack, time.monotonic() - began))
        on_ready()

    def leave() -> None:
        state.phase = "stopping"
        state.write(stack.home)
        say("Stopping.")

    await supervise(supervisor, Hooks(ready, leave, _tending(supervisor, stack, say)))


def _tending(supervisor: Supervisor, stack: Stack, say: Say) -> Callable[[], Awaitable[None]]:
    async def tend() -> None:
        renewed_at = time.monotonic()
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            try:
                supervisor.trim_logs()
                if time.monotonic() - renewed_at > CERTIFICATE_CHECK_SECONDS:
                    renewed_at = time.monotonic()
                    _renew(supervisor, stack, say)
            except OSError as error:
                say(f"  upkeep failed, it is tried again: {error}")

    return tend


def _renew(supervisor: Supervisor, stack: Stack, say: Say) -> None:
    renewed = stack.renew_certificates()
    if renewed:
        say(f"  certificates issued anew: {', '.join(renewed)}")
        supervisor.restart(INGRESS)


def _clean_up(home: Home, say: Say) -> None:
    left = sweep(home)
    if left:
        say(f"Ended what an earlier run left behind: {', '.join(left)}.")


def _say_moved(ports: Mapping[str, int], preferred: Mapping[str, int], say: Say) -> None:
    moved = {name: port for name, port in ports.items() if preferred[name] not in (0, port)}
    if INGRESS in moved:
        say(f"Port {preferred[INGRESS]} is taken; the ingress listens on {moved[INGRESS]} instead.")
    elif moved:
        say(f"Some ports were taken; free ones are used instead (see `castor status`): {', '.join(moved)}.")


def _welcome(stack: Stack, seconds: float) -> str:
    return (
        f"CASTOR is ready after {seconds:.1f} s: {stack.ingress_url}\n"
        f"  trust its certificate: curl --cacert {stack.home.authority_file} ...\n"
        "  a token: castor token      state: castor status      end: castor down"
    )
