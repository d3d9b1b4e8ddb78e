"""Records of searches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rag_service.documents.model import NOBODY, Access, Document, Key


@dataclass(frozen=True, slots=True)
class Filters:
    """What a document must match, all of it; documents published after ``as_of`` are hidden."""

    as_of: datetime
    source: str | None = None
    author: str | None = None
    entity: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    axis: str | None = None
    place: str | None = None
    sentiment: str | None = None
    dataset: str | None = None
    origin: str | None = None
    stored_by: str | None = None
    voices: bool = False
    """Leave out analyses: they speak of what people say, and are none of them."""
    access: Access = NOBODY
    half_life_days: float | None = None
    """No filter: a document so much older than ``as_of`` counts half; None: age makes no difference."""

    @property
    def narrow(self) -> bool:
        """Whether they leave out documents of before ``as_of``."""
        return replace(self, access=NOBODY, half_life_days=None, voices=False) != Filters(as_of=self.as_of)

    def from_then_on(self, time: datetime | None) -> Filters:
        """Return the same filters that hide also what was published before ``time``; None: nothing more."""
        return self if time is None else replace(self, since=max(time, self.since or time))

    def until_then(self, time: datetime | None) -> Filters:
        """Return the same filters that hide also what was published at ``time`` or after it; None: nothing more."""
        return self if time is None else replace(self, until=min(time, self.until or time))

    def freshness(self, published_at: datetime) -> float:
        """Return how much a document of that time counts, in (0, 1]."""
        if self.half_life_days is None:
            return 1.0
        age_days = max(0.0, (self.as_of - published_at) / timedelta(days=1))
        return float(0.5 ** (age_days / self.half_life_days))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that a search found; ``value`` is its score or its cosine, ``embedded`` whether it has a vector."""

    key: Key
    value: float
    embedded: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found, its fused score, its ranks (from 1) in the two searches, its cosine to the query."""

    document: Document
    score: float
    lexical_rank: int | None
    dense_rank: int | None
    similarity: float | None
    more: int = 0
    """How many more documents of its conversation match, where conversations were folded."""


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first, the parts that the search was made without, and the accounts whose words were asked for."""

    hits: list[Hit]
    degraded: list[str] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
