"""The audit log as a chain: what was recorded can be checked, exported, and checked again elsewhere.

An event's hash covers the hash before it, so no event can be changed, removed or inserted without changing every
later hash. Seals bind the head of the chain to the secret of the service: a whole chain that was computed
anew in the database does not fit them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from auth_service.audit.repository import AuditStore, Link, Seal
from auth_service.crypto.vault import Vault

log = structlog.get_logger("auth.audit")
BEGINNING = (0, b"")


def link_hash(before: bytes, link: Link) -> bytes:
    """Return SHA-256(``before`` || the event as a JSON array), as ``audit_chain_append`` computes it."""
    values = [link.id, link.at, link.event, link.subject, link.address_hash, link.request_id, link.details]
    return hashlib.sha256(before + json.dumps(values, ensure_ascii=False).encode()).digest()


def as_line(link: Link) -> str:
    """Return a link as one line of JSON."""
    shown: dict[str, Any] = {name: getattr(link, name) for name in Link.__slots__}
    return json.dumps({**shown, "hash": link.hash.hex()}, ensure_ascii=False) + "\n"


def from_line(line: str) -> Link:
    """Return the link that ``as_line`` wrote; raises ``ValueError`` for anything else."""
    try:
        values = json.loads(line)
        return Link(**{**values, "hash": bytes.fromhex(values["hash"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"is no line of an export: {line[:80]!r}") from error


@dataclass
class Verdict:
    """What a check found; intact when ``problems`` is empty."""

    events: int = 0
    head: str = ""
    seals: int = 0
    problems: list[str] = field(default_factory=list)

    def blame(self, problem: str) -> None:
        """Note a problem; the first hundred are enough."""
        if len(self.problems) < 100:
            self.problems.append(problem)


class ChainCheck:
    """Follows a chain link by link, behind ``before``: a number and its hash.

    Without it the first hash is taken on trust, since an export may begin anywhere.
    """

    def __init__(self, verdict: Verdict, before: tuple[int, bytes] | None) -> None:
        self._verdict = verdict
        self._before = before
        self.at: dict[int, bytes] = {} if before is None else dict([before])

    def follow(self, links: Iterable[Link], keep: Iterable[int] = ()) -> None:
        """Check the next links; hashes of the numbers in ``keep`` are remembered in ``at``."""
        wanted = set(keep)
        for link in links:
            self._step(link)
            self._verdict.events += 1
            self._verdict.head = link.hash.hex()
            if link.seq in wanted:
                self.at[link.seq] = link.hash

    def _step(self, link: Link) -> None:
        before, self._before = self._before, (link.seq, link.hash)
        if before is None and link.seq == 1:
            before = BEGINNING
        if link.id is None:
            self._verdict.blame(f"link {link.seq}: its event is gone")
        elif before is None:
            return
        elif link.seq != before[0] + 1:
            self._verdict.blame(f"link {link.seq}: follows {before[0]}, so links between them are gone")
        elif not hmac.compare_digest(link.hash, link_hash(before[1], link)):
            self._verdict.blame(f"link {link.seq}: event {link.id} is not the one that was recorded")


@dataclass(frozen=True)
class AuditChain:
    """Seals, checks, exports and forgets; events younger than ``retention`` are never forgotten."""

    store: AuditStore
    vault: Vault
    retention: timedelta

    async def seal(self) -> Seal | None:
        """Seal the head of the chain; None for an empty one."""
        seq, head = await self.store.head()
        if seq == 0:
            return None
        now = datetime.now(UTC)
        sealed = Seal(seq, head, now, self._mac(seq, head, now))
        await self.store.insert_seal(sealed)
        return sealed

    async def keep(self, seal_every_seconds: float) -> None:
        """Seal the head whenever it has moved, and forget what is past its time.

        The log line puts the head out of the database's reach as well.
        """
        last = 0
        while True:
            sealed = await self.seal()
            if sealed is not None and sealed.seq != last:
                last = sealed.seq
                log.info("audit_sealed", seq=sealed.seq, hash=sealed.hash.hex())
            forgotten = await self.store.forget(self._limit())
            if forgotten:
                log.info("audit_forgotten", events=forgotten, retention_days=self.retention.days)
            await asyncio.sleep(seal_every_seconds)

    def _limit(self) -> datetime:
        return datetime.now(UTC) - self.retention

    async def verify(self) -> Verdict:
        """Check every link, that no event stands outside the chain, every seal, and where the chain begins."""
        while True:
            first = await self.store.first()
            verdict = await self._verify_from(first)
            # Links that retention removed in the meantime would look like stolen ones.
            if await self.store.first() == first:
                return verdict

    async def _verify_from(self, first: int) -> Verdict:
        verdict = Verdict()
        seals = await self.store.seals()
        check = ChainCheck(verdict, self._before(first, seals))
        async for links in self.store.pages(0, 2**62):
            check.follow(links, [seal.seq for seal in seals])
        outside = await self.store.unchained()
        if outside:
            verdict.blame(f"{outside} events stand outside the chain")
        for seal in seals:
            self._judge(seal, check.at.get(seal.seq), verdict)
        return verdict

    def _before(self, first: int, seals: list[Seal]) -> tuple[int, bytes]:
        # What retention left is a seal that was old enough; anything else that is missing at the beginning is stolen.
        for seal in seals:
            if seal.seq == first - 1 and seal.sealed_at < self._limit():
                return seal.seq, seal.hash
        return BEGINNING

    def _judge(self, seal: Seal, found: bytes | None, verdict: Verdict) -> None:
        verdict.seals += 1
        if not hmac.compare_digest(seal.seal, self._mac(seal.seq, seal.hash, seal.sealed_at)):
            verdict.blame(f"the seal at {seal.seq} was not made with this KEY_ENCRYPTION_SECRET")
        elif found is None:
            verdict.blame(f"the seal at {seal.seq} has no link: the chain was cut short")
        elif found != seal.hash:
            verdict.blame(f"the seal at {seal.seq} is of another chain: the chain was computed anew")

    def _mac(self, seq: int, head: bytes, at: datetime) -> bytes:
        return self.vault.audit_seal(f"{seq} {head.hex()} {at.astimezone(UTC).isoformat()}")

    async def export(self, after: int, limit: int, *, subject: str | None, event: str | None) -> AsyncIterator[str]:
        """Yield lines of JSON for up to ``limit`` links behind ``after``."""
        async for links in self.store.pages(after, limit, subject=subject, event=event):
            yield "".join(as_line(link) for link in links)
