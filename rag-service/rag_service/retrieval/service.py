"""Hybrid search: by words and by meaning, fused by rank."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rag_service.documents.model import Access, Document, Key
from rag_service.embeddings.encoder import Encoder
from rag_service.errors import FilterUnknown
from rag_service.metrics import DEGRADED, RETRIEVAL
from rag_service.retrieval.fusion import fuse
from rag_service.retrieval.model import Candidate, Filters, Found, Hit
from rag_service.retrieval.repository import SearchRepository

_WIDEST = 200
"""Of each of the two searches at most so many documents are fused."""


@dataclass(frozen=True, slots=True)
class RetrievalService:
    """Finds documents. Without embeddings it searches by words alone and answers ``degraded: ["embeddings"]``."""

    searches: SearchRepository
    encoder: Encoder

    async def check(self, filters: Filters) -> None:
        """Raise ``FilterUnknown`` for an entity, place, axis or data set that no document has."""
        unknown = await self.searches.unknown(filters)
        if unknown is not None:
            kind, name = unknown
            raise FilterUnknown(field=f"body.filters.{kind}", kind=kind.replace("dataset", "data set"), name=name)

    async def search(self, query: str, filters: Filters, limit: int) -> Found:
        """Return the best ``limit`` documents for ``query``."""
        wide = max(50, min(4 * limit, _WIDEST))
        with RETRIEVAL.labels("search").time():
            lexical, (dense, complete) = await asyncio.gather(
                self.searches.lexical(query, filters, wide), self._dense(query, filters, wide)
            )
            hits = await self._hits(lexical, dense, filters, limit)
        if not complete:
            DEGRADED.labels("embeddings").inc()
        return Found(hits, [] if complete else ["embeddings"])

    async def frequencies(self, words: Sequence[str], filters: Filters) -> dict[str, int]:
        """Return in how many documents that match ``filters`` each word stands, counted up to 4,000."""
        return await self.searches.frequencies(words, filters)

    async def copies(self, documents: Sequence[Document], filters: Filters) -> dict[str | None, int]:
        """Return by words hash how many documents that match ``filters`` have the same words."""
        return await self.searches.copies([document.words_hash for document in documents], filters)

    async def vectors(self, documents: Sequence[Document], access: Access) -> list[list[float] | None]:
        """Return the vector of each document, None where it has none."""
        keys = [(document.id, document.published_at) for document in documents]
        found = await self.searches.vectors(keys, access)
        return [found.get(key) for key in keys]

    async def _dense(self, query: str, filters: Filters, limit: int) -> tuple[list[list[Candidate]], bool]:
        """Return a ranking for each model that embedded documents, and whether all of them were searched.

        While documents are embedded anew, each has a vector of one of two models, so that none is out of reach.
        """
        with RETRIEVAL.labels("embed_query").time():
            today, spaces = await asyncio.gather(self.encoder.embed_query(query), self.searches.spaces())
            if today is None:
                return [], False
            others = [space for space in spaces if space.model != today.model]
            before = [await self.encoder.embed_query_in(space, query) for space in others]
        embedded = [today, *(one for one in before if one is not None)]
        rankings = [await self.searches.dense(one.vectors[0], one.model, filters, limit) for one in embedded]
        return rankings, None not in before

    async def _hits(
        self, lexical: Sequence[Candidate], dense: Sequence[Sequence[Candidate]], filters: Filters, limit: int
    ) -> list[Hit]:
        # No document has vectors of two models.
        lexical_ranks, dense_ranks = _ranks(lexical), {key: rank for one in dense for key, rank in _ranks(one).items()}
        cosine = {candidate.key: candidate.value for one in dense for candidate in one}
        fused = fuse(lexical_ranks, dense_ranks)
        scores = {key: score * filters.freshness(key[1]) for key, score in fused.items()}
        best = sorted(scores, key=lambda key: (-scores[key], key))[:limit]
        documents = await self.searches.documents(best, filters.access)
        return [
            Hit(documents[key], scores[key], lexical_ranks.get(key), dense_ranks.get(key), cosine.get(key))
            for key in best
            if key in documents
        ]


def _ranks(candidates: Sequence[Candidate]) -> dict[Key, int]:
    return {candidate.key: rank for rank, candidate in enumerate(candidates, 1)}
