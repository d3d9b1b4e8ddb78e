"""Seals, verifies, exports and prunes the audit log.

A seal authenticates the head of the chain with the secret of the service: a chain that was recomputed in the database
does not match the seals.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from auth_service.audit import repository
from auth_service.audit.hash_chain import BEGINNING, ChainCheck, Verdict, as_line
from auth_service.audit.repository import Seal
from auth_service.crypto.vault import Vault
from castor_chassis import Postgres, TimeSpan

log = structlog.get_logger("castor.auth.audit")


@dataclass
class AuditChain:
    """The audit log as a chain; events younger than ``retention`` are never deleted."""

    postgres: Postgres
    vault: Vault
    retention: timedelta
    _logged: int = 0
    """Number of the last event whose seal was logged."""

    async def seal(self) -> Seal | None:
        """Seal the head of the chain; None for an empty one."""
        head = await repository.head(self.postgres)
        if head.seq == 0:
            return None
        now = datetime.now(UTC)
        sealed = Seal(head.seq, head.hash, now, self._mac(head.seq, head.hash, now))
        await repository.insert_seal(self.postgres, sealed)
        return sealed

    async def seal_and_forget(self) -> None:
        """Seal the head and delete what is older than ``retention``.

        A head that has moved is logged as well, so a copy of it exists outside the database.
        """
        sealed = await self.seal()
        if sealed is not None and sealed.seq != self._logged:
            self._logged = sealed.seq
            log.info("audit_sealed", seq=sealed.seq, hash=sealed.hash.hex())
        deleted = await repository.delete_sealed(self.postgres, self._oldest_kept())
        if deleted:
            log.info("audit_forgotten", events=deleted, retention_days=self.retention.days)

    def _oldest_kept(self) -> datetime:
        return datetime.now(UTC) - self.retention

    async def verify(self) -> Verdict:
        """Verify every link and seal, that no event is outside the chain, and where the chain begins."""
        while True:
            first = await repository.first(self.postgres)
            verdict = await self._verify_from(first)
            # Links that retention deleted during the verification would look like removed ones.
            if await repository.first(self.postgres) == first:
                return verdict

    async def _verify_from(self, first: int) -> Verdict:
        verdict = Verdict()
        seals = await repository.seals(self.postgres)
        check = ChainCheck(verdict, self._before(first, seals))
        async for links in repository.pages(self.postgres, 0, 2**62):
            check.follow(links, [seal.seq for seal in seals])
        outside = await repository.events_outside_chain(self.postgres)
        if outside:
            verdict.add_problem(f"{outside} events stand outside the chain")
        for seal in seals:
            self._check_seal(seal, check.hashes.get(seal.seq), verdict)
        return verdict

    def _before(self, first: int, seals: list[Seal]) -> tuple[int, bytes]:
        # Retention deletes up to a seal that is old enough; a chain that begins elsewhere has lost links.
        for seal in seals:
            if seal.seq == first - 1 and seal.sealed_at < self._oldest_kept():
                return seal.seq, seal.hash
        return BEGINNING

    def _check_seal(self, seal: Seal, found: bytes | None, verdict: Verdict) -> None:
        verdict.seals += 1
        if not self.vault.is_audit_seal(_sealed_text(seal.seq, seal.hash, seal.sealed_at), seal.mac):
            verdict.add_problem(f"the seal at {seal.seq} was not made with this KEY_ENCRYPTION_SECRET")
        elif found is None:
            verdict.add_problem(f"the seal at {seal.seq} has no link: the chain was cut short")
        elif found != seal.hash:
            verdict.add_problem(f"the seal at {seal.seq} is of another chain: the chain was computed anew")

    def _mac(self, seq: int, head: bytes, at: datetime) -> bytes:
        return self.vault.audit_seal(_sealed_text(seq, head, at))

    async def export(
        self, after: int, limit: int, *, subject: str | None, event: str | None, org: str | None, written: TimeSpan
    ) -> AsyncIterator[str]:
        """Return up to ``limit`` links after number ``after``, ``written`` in a span, as lines of JSON.

        ``org``: only events about accounts that belong to it.

        Raises ``DatabaseUnavailable`` here, before the first piece, when the log cannot be read.
        """
        await repository.head(self.postgres)
        pages = repository.pages(self.postgres, after, limit, subject=subject, event=event, org=org, written=written)
        return ("".join(as_line(link) for link in links) async for links in pages)


def _sealed_text(seq: int, head: bytes, at: datetime) -> str:
    return f"{seq} {head.hex()} {at.astimezone(UTC).isoformat()}"
