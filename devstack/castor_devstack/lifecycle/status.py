"""`castor status`: the recorded state, and whether each part really answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from castor_devstack.lifecycle.log_lines import last_error
from castor_devstack.stack.probes import ingress_answers, listens, service_ready
from castor_devstack.stack.services import INGRESS, LOOPBACK, SERVICES, Service
from castor_devstack.supervision.state import State, is_locked
from castor_devstack.supervision.state_folder import StateFolder


def status(state_folder: StateFolder, services: Sequence[Service] = SERVICES) -> dict[str, Any]:
    """Return the state as JSON values; the README of the devstack describes them."""
    state = State.read(state_folder)
    if not is_locked(state_folder):
        state = State(facts={name: state.facts[name] for name in ("postgres_data",) if name in state.facts})
    reports, ingress_ready = asyncio.run(_ask(state_folder, state, services))
    return {
        "services": reports,
        "ingress": state.facts.get("ingress"),
        "ca": str(state_folder.authority_file),
        "ingress_ready": ingress_ready,
        "postgres": state.facts.get("postgres"),
        "postgres_data": state.facts.get("postgres_data"),
        "valkey": state.facts.get("valkey"),
        "home": str(state_folder.root),
        "phase": state.phase,
        "pids": {name: pid.number for name, pid in state.parts.items()},
    }


def all_ready(report: dict[str, Any]) -> bool:
    """Return whether the ingress answers and every service is ready."""
    return bool(report["ingress_ready"]) and all(service["ready"] for service in report["services"].values())


def as_table(report: dict[str, Any]) -> str:
    """Return the report as a table for a terminal."""
    lines = [f"{'service':<20} {'ready':<6} {'pid':>8}  {'api':<26} management"]
    for name, service in report["services"].items():
        # Of all that can be ready only stubs have no management port.
        ready = "no" if not service["ready"] else "yes" if service["management"] else "stub"
        api, management = service["api"] or "-", service["management"] or "-"
        lines.append(f"{name:<20} {ready:<6} {service['pid'] or '-':>8}  {api:<26} {management}")
    lines.append("")
    for name in ("phase", "ingress", "ca", "postgres", "postgres_data", "valkey", "home"):
        lines.append(f"{name:<20} {report[name] or '-'}")
    errors = {name: service["last_error"] for name, service in report["services"].items() if service["last_error"]}
    lines += [f"last error of {name}: {error}" for name, error in errors.items()]
    return "\n".join(lines)


async def _ask(
    state_folder: StateFolder, state: State, services: Sequence[Service]
) -> tuple[dict[str, dict[str, Any]], bool]:
    reports = asyncio.gather(*(_service(state_folder, state, service) for service in services))
    ingress_ready = (
        await _answers(ingress_answers(state_folder, state.ports[INGRESS])) if INGRESS in state.parts else False
    )
    return {service.name: report for service, report in zip(services, await reports, strict=True)}, ingress_ready


async def _service(state_folder: StateFolder, state: State, service: Service) -> dict[str, Any]:
    api, management = state.ports.get(service.name), state.ports.get(f"{service.name}.management")
    pid = state.parts.get(service.name)
    if service.name in state.facts.get("stubs", "").split():
        management, ready = None, listens(api) if api else None
    else:
        ready = service_ready(management) if management else None
    return {
        "api": f"https://{LOOPBACK}:{api}" if api else None,
        "management": f"http://{LOOPBACK}:{management}" if management else None,
        "ready": await _answers(ready) if ready else False,
        "pid": pid.number if pid else None,
        "log": str(state_folder.log(service.name)),
        "last_error": _error_of(state_folder, service),
    }


def _error_of(state_folder: StateFolder, service: Service) -> str | None:
    """Return the last error in the service's log in one line, with the last line of its traceback."""
    error = last_error(state_folder.log(service.name))
    if error is None:
        return None
    why = error.exception.rstrip().splitlines()[-1] if error.exception else error.rest
    return f"{error.at:%Y-%m-%dT%H:%M:%SZ} {error.event}: {why}"[:300]


async def _answers(probe: Awaitable[bool]) -> bool:
    try:
        return await probe
    except (OSError, ValueError):
        return False
