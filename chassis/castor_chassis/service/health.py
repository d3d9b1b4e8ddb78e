"""Readiness, apart from liveness: a service is live in milliseconds, and ready when all its parts are loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Check = Callable[[], Awaitable[None]]
DEGRADED = "degraded: "


@dataclass
class Gate:
    """A part that must be loaded before the service is ready."""

    name: str
    reason: str | None = "still loading"

    def open(self) -> None:
        """Mark the part as loaded."""
        self.reason = None

    def fail(self, reason: str) -> None:
        """Mark the part as not usable; readiness reports ``reason``."""
        self.reason = reason


@dataclass
class Health:
    """The gates and checks of one service."""

    draining: bool = False
    _gates: dict[str, Gate] = field(default_factory=dict)
    _checks: dict[str, Check] = field(default_factory=dict)
    _passed: set[str] = field(default_factory=set)

    def gate(self, name: str) -> Gate:
        """Return the gate ``name``, closed until it is opened."""
        return self._gates.setdefault(name, Gate(name))

    @property
    def loaded(self) -> bool:
        """True when every gate is open."""
        return all(gate.reason is None for gate in self._gates.values())

    def check(self, name: str, check: Check) -> None:
        """Await ``check`` at every readiness probe; until it has passed once, raising means not ready.

        Afterwards a failure is shown as degraded and the service stays ready: if a shared database is away,
        taking every replica out of service would turn clear 503s, and what can still be served, into nothing.
        """
        self._checks[name] = check

    async def report(self, timeout_seconds: float = 2.0) -> tuple[bool, dict[str, str]]:
        """Return whether the service is ready, and the state of each part in a word or a sentence."""
        parts = {name: gate.reason or "ok" for name, gate in self._gates.items()}
        results = await asyncio.gather(*(_run(check, timeout_seconds) for check in self._checks.values()))
        parts.update({name: self._judged(name, result) for name, result in zip(self._checks, results, strict=True)})
        if self.draining:
            parts["shutdown"] = "draining"
        return all(state == "ok" or state.startswith(DEGRADED) for state in parts.values()), parts

    def _judged(self, name: str, result: str) -> str:
        if result == "ok":
            self._passed.add(name)
        return result if result == "ok" or name not in self._passed else f"{DEGRADED}{result}"


async def _run(check: Check, timeout_seconds: float) -> str:
    try:
        async with asyncio.timeout(timeout_seconds):
            await check()
    except TimeoutError:
        return f"no answer within {timeout_seconds:g} s"
    except Exception as error:
        return str(error) or type(error).__name__
    return "ok"
