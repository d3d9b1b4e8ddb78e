"""Liveness apart from readiness: live in milliseconds, ready when every gate is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Check = Callable[[], Awaitable[None]]


@dataclass
class Gate:
    """Something that must be loaded before the service is of use."""

    name: str
    reason: str | None = "still loading"

    def open(self) -> None:
        """The thing is usable."""
        self.reason = None

    def fail(self, reason: str) -> None:
        """The thing cannot be used; ``reason`` is shown to whoever asks why the service is not ready."""
        self.reason = reason


@dataclass
class Health:
    """The gates and checks of one service."""

    draining: bool = False
    _gates: dict[str, Gate] = field(default_factory=dict)
    _checks: dict[str, Check] = field(default_factory=dict)

    def gate(self, name: str) -> Gate:
        """Return the gate ``name``, closed until it is opened."""
        return self._gates.setdefault(name, Gate(name))

    def check(self, name: str, check: Check) -> None:
        """Await ``check`` at every readiness probe; raising means not ready."""
        self._checks[name] = check

    async def report(self, timeout_seconds: float = 2.0) -> tuple[bool, dict[str, str]]:
        """Return whether the service is ready, and the state of each part in a word or a sentence."""
        parts = {name: gate.reason or "ok" for name, gate in self._gates.items()}
        results = await asyncio.gather(*(_run(check, timeout_seconds) for check in self._checks.values()))
        parts.update(dict(zip(self._checks, results, strict=True)))
        if self.draining:
            parts["shutdown"] = "draining"
        return all(state == "ok" for state in parts.values()), parts


async def _run(check: Check, timeout_seconds: float) -> str:
    try:
        async with asyncio.timeout(timeout_seconds):
            await check()
    except TimeoutError:
        return f"no answer within {timeout_seconds:g} s"
    except Exception as error:
        return str(error) or type(error).__name__
    return "ok"
