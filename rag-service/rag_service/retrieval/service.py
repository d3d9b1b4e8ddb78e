"""Finding documents: by words and by meaning, fused by rank."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag_service.documents.model import Document, Filters, Key
from rag_service.documents.repository import Embeddings
from rag_service.metrics import DEGRADED, RETRIEVAL
from rag_service.retrieval.repository import Candidate, SearchStore

RRF_K = 60
"""Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009."""
SAME = 0.8
"""Jaccard similarity of word sets from which two documents say the same: retweets, chains, copies."""
_NOISE = re.compile(r"https?://\S+|^\s*rt\s+@\w+:?|@\w+", re.IGNORECASE)
_WORD = re.compile(r"\w+")


class QueryEncoder(Protocol):
    """Turns a query into a vector."""

    async def embed_query(self, text: str) -> Embeddings | None:
        """Return the vector, or None when there is none to be had now."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found, with its places (from 1) in the two searches."""

    document: Document
    score: float
    lexical_rank: int | None
    dense_rank: int | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first, and the parts that the search was made without."""

    hits: list[Hit]
    degraded: list[str] = field(default_factory=list)


class Retriever:
    """Hybrid search. Without embeddings it goes on by words alone and says ``degraded: ["embeddings"]``."""

    def __init__(self, store: SearchStore, encoder: QueryEncoder) -> None:
        self._store = store
        self._encoder = encoder

    async def search(self, query: str, filters: Filters, limit: int) -> Found:
        """Return the best ``limit`` documents for ``query``."""
        wide = max(50, 4 * limit)
        with RETRIEVAL.labels("search").time():
            lexical, dense = await asyncio.gather(
                self._store.lexical(query, filters, wide), self._dense(query, filters, wide)
            )
            hits = await self._hits(lexical, dense or [], limit)
        if dense is None:
            DEGRADED.labels("embeddings").inc()
        return Found(hits, ["embeddings"] if dense is None else [])

    async def distinct(self, query: str, filters: Filters, limit: int) -> Found:
        """Like ``search``, but a document that says the same as a better one is left out."""
        found = await self.search(query, filters, 3 * limit)
        return Found(without_copies(found.hits)[:limit], found.degraded)

    async def _dense(self, query: str, filters: Filters, limit: int) -> list[Candidate] | None:
        with RETRIEVAL.labels("embed_query").time():
            embedded = await self._encoder.embed_query(query)
        if embedded is None:
            return None
        return await self._store.dense(embedded.vectors[0], embedded.model, filters, limit)

    async def _hits(self, lexical: Sequence[Candidate], dense: Sequence[Candidate], limit: int) -> list[Hit]:
        words = {candidate.key: rank for rank, candidate in enumerate(lexical, 1)}
        meaning = {candidate.key: rank for rank, candidate in enumerate(dense, 1)}
        cosine = {candidate.key: candidate.value for candidate in dense}
        scores = fused(words, meaning)
        best = sorted(scores, key=lambda key: (-scores[key], key))[:limit]
        documents = await self._store.documents(best)
        return [
            Hit(documents[key], scores[key], words.get(key), meaning.get(key), cosine.get(key))
            for key in best
            if key in documents
        ]


def fused(*rankings: dict[Key, int]) -> dict[Key, float]:
    """Return the reciprocal rank fusion: the sum over rankings of 1 / (60 + rank)."""
    scores: dict[Key, float] = {}
    for ranking in rankings:
        for key, rank in ranking.items():
            scores[key] = scores.get(key, 0.0) + 1 / (RRF_K + rank)
    return scores


def without_copies(hits: Iterable[Hit]) -> list[Hit]:
    """Return ``hits`` without those that say the same as one before them."""
    kept: list[tuple[Hit, frozenset[str]]] = []
    for hit in hits:
        words = words_of(hit.document.text)
        if not any(_same(words, before) for _, before in kept):
            kept.append((hit, words))
    return [hit for hit, _ in kept]


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text without accents, links and mentions."""
    plain = unicodedata.normalize("NFD", _NOISE.sub(" ", text).casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return frozenset(_WORD.findall(letters))


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    union = len(one | other)
    return union > 0 and len(one & other) / union >= SAME
