"""Counts by hour of terms that were asked for before: a replica remembers them while their days stay as they were."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

MOST_CHANGED_DAYS = 3
"""So many days are read anew for all terms of a question; with more, everything is."""
MOST_BYTES = 32 * 1024 * 1024
"""Bytes of counts that are remembered: those of some 10,000 frequent terms of four weeks."""

ENTRY_BYTES = 200
"""What a term takes beside its counts, about."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a question must read: ``missing`` terms on the days of ``digests``, all its terms on the ``changed`` days.

    ``found`` holds the counts that were remembered. Nothing that they say of the days ``without`` is true any more.
    """

    digests: Mapping[datetime, str]
    found: dict[str, bytes]
    missing: list[str]
    changed: list[datetime]
    without: list[datetime]


class KeptCounts:
    """The counts of terms on some days, each day with the digest that it had when they were read.

    Those that were not asked for longest are forgotten beyond ``MOST_BYTES``.
    """

    def __init__(self) -> None:
        self._digests: Mapping[datetime, str] = {}
        self._counts: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def plan(self, terms: Sequence[str], digests: Mapping[datetime, str]) -> Plan:
        """Return what is remembered of ``terms``, and what is to be read for the days of ``digests``.

        Where too many of these changed, or were never read, everything is forgotten.
        """
        changed = [day for day, digest in digests.items() if self._digests.get(day) != digest]
        if len(changed) > MOST_CHANGED_DAYS:
            self._digests, self._counts, self._bytes, changed = dict(digests), OrderedDict(), 0, []
        found = {term: self._counts[term] for term in terms if term in self._counts}
        for term in found:
            self._counts.move_to_end(term)
        missing = [term for term in terms if term not in found] if self._digests else []
        return Plan(self._digests, found, missing, changed, [*changed, *(self._digests.keys() - digests.keys())])

    def remember(self, plan: Plan, read: Mapping[str, bytes]) -> None:
        """Remember the counts of missing terms that were read, unless everything was forgotten meanwhile."""
        if plan.digests is not self._digests:
            return
        for term, counts in read.items():
            if term not in self._counts:
                self._counts[term] = counts
                self._bytes += ENTRY_BYTES + len(counts)
        while self._bytes > MOST_BYTES:
            self._bytes -= ENTRY_BYTES + len(self._counts.popitem(last=False)[1])
