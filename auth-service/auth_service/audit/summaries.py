"""Bounds what callers without an account can write into the audit log: many events of one kind become a sum."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from auth_service.audit.recorder import Audit
from auth_service.users.client import Client
from castor_chassis.storage.postgres import Database

_INDIVIDUALLY = 10
"""Events of one kind between two sums that are recorded one by one, with the address and the account."""
_DISTINCT = 1_000
"""Accounts, and addresses, that a sum tells apart at most."""
_NAMED = 20
"""Accounts that a sum names at most."""


@dataclass
class _Sum:
    """What is known of the events of one kind that were only counted; every part is bounded."""

    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    subjects: Counter[str] = field(default_factory=Counter)
    addresses: set[str] = field(default_factory=set)

    def add(self, reason: str | None, subject: str | None, address: str | None) -> None:
        self.count += 1
        if reason is not None:
            self.reasons[reason] += 1
        if subject is not None and (subject in self.subjects or len(self.subjects) < _DISTINCT):
            self.subjects[subject] += 1
        if address is not None and len(self.addresses) < _DISTINCT:
            self.addresses.add(address)

    def details(self) -> dict[str, object]:
        """Return what the event says; what was not counted is left out."""
        parts: dict[str, object] = {
            "reasons": dict(self.reasons),
            "accounts": dict(self.subjects.most_common(_NAMED)),
            "addresses": len(self.addresses),
        }
        return {"count": self.count, **{name: part for name, part in parts.items() if part}}


@dataclass
class Summaries:
    """Records events that anybody can cause: a few of each kind one by one, the others as one event with their number.

    Whether an account is concerned makes no difference to what is written when, so that nobody learns it from the time.
    """

    audit: Audit
    _written: Counter[str] = field(default_factory=Counter)
    _sums: dict[tuple[str, str | None], _Sum] = field(default_factory=dict)

    async def record(
        self, db: Database, event: str, *, subject: str | None, client: Client | None, **details: object
    ) -> None:
        """Append ``event``, or count it when there were too many of its kind since the last sum."""
        if self._written[event] < _INDIVIDUALLY:
            self._written[event] += 1
            await self.audit.record(db, event, subject=subject, client=client, **details)
        else:
            address = self.audit.vault.blind(client.address) if client else None
            self._sum(event, None).add(None, subject, address)

    async def record_if_possible(self, db: Database, event: str, *, subject: str, reason: str, audience: str) -> None:
        """Append the refusal of a service, or count it; only logged while PostgreSQL is away."""
        if self._written[event] < _INDIVIDUALLY:
            self._written[event] += 1
            await self.audit.record_if_possible(db, event, subject=subject, reason=reason, audience=audience)
        else:
            self.count(event, subject, reason)

    def count(self, event: str, subject: str, reason: str) -> None:
        """Count an event that is never recorded by itself; subject and reason are of closed sets."""
        self._sum(event, subject).add(reason, None, None)

    def _sum(self, event: str, subject: str | None) -> _Sum:
        return self._sums.setdefault((event, subject), _Sum())

    async def write(self, db: Database) -> None:
        """Append one event for each kind that was counted since the last time."""
        sums, self._sums = self._sums, {}
        self._written.clear()
        for (event, subject), counted in sums.items():
            await self.audit.record_if_possible(db, event, subject=subject, **counted.details())
