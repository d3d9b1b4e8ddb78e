"""Record: where a request comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """The caller's network address and user agent."""

    address: str
    agent: str = ""

    @property
    def fingerprint(self) -> str:
        """Text that two requests of one client share."""
        return f"{self.address}\n{self.agent}"
