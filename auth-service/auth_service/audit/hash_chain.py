"""The hash chain of the audit log: hashes, lines of an export, and their verification.

An event's hash covers the hash before it, so no event can be changed, removed or inserted without changing every
later hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from auth_service.audit.repository import Link

BEGINNING = (0, b"")
"""Number and hash before the first link."""
_MAX_PROBLEMS = 100


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
    """What a verification found; the log is intact when ``problems`` is empty."""

    events: int = 0
    head: str = ""
    """Hash of the last link, in hexadecimal."""
    seals: int = 0
    problems: list[str] = field(default_factory=list)

    def add_problem(self, problem: str) -> None:
        """Note a problem; only the first hundred are kept."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)


class ChainCheck:
    """Verifies a chain link by link, from the link ``before`` on, given as its number and hash.

    With ``before`` None the first hash is not verified, since an export may begin anywhere.
    """

    def __init__(self, verdict: Verdict, before: tuple[int, bytes] | None) -> None:
        self._verdict = verdict
        self._before = before
        self.hashes: dict[int, bytes] = {} if before is None else dict([before])
        """Hashes by number, of the links that ``follow`` was asked to keep."""

    def follow(self, links: Iterable[Link], keep: Iterable[int] = ()) -> None:
        """Verify the next links; the hashes of the numbers in ``keep`` are kept in ``hashes``."""
        kept = set(keep)
        for link in links:
            self._step(link)
            self._verdict.events += 1
            self._verdict.head = link.hash.hex()
            if link.seq in kept:
                self.hashes[link.seq] = link.hash

    def _step(self, link: Link) -> None:
        before, self._before = self._before, (link.seq, link.hash)
        if before is None and link.seq == 1:
            before = BEGINNING
        if link.id is None:
            self._verdict.add_problem(f"link {link.seq}: its event is gone")
        elif before is None:
            return
        elif link.seq != before[0] + 1:
            self._verdict.add_problem(f"link {link.seq}: follows {before[0]}, so links between them are gone")
        elif not hmac.compare_digest(link.hash, link_hash(before[1], link)):
            self._verdict.add_problem(f"link {link.seq}: event {link.id} is not the one that was recorded")
