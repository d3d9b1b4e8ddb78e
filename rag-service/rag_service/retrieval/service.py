"""Hybrid search: by words and by meaning, fused by rank."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag_service.documents.model import Access, Document, Key
from rag_service.embeddings.encoder import Encoder
from rag_service.errors import FilterUnknown
from rag_service.metrics import DEGRADED, RETRIEVAL
from rag_service.retrieval.fusion import best_of_each_conversation, fuse
from rag_service.retrieval.model import Candidate, Filters, Found, Hit
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.speakers import speakers_among, without_speakers, written_handles
from rag_service.text.terms import Term, question_terms

_WIDEST = 200
"""Of each of the two searches at most so many documents are fused."""
DENSE_WEIGHT = 2.0
"""What a rank by meaning counts, beside one by words; chosen on half of the questions of bench/rag."""
SPEAKER_WEIGHT = 2.0
"""What a rank among the documents of the account that is asked to speak counts, beside one among all."""


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
        """Return the best ``limit`` documents for ``query``.

        It is searched by its words of substance and by the meaning of the whole. Where it asks what somebody says, what
        that account wrote is searched as well, for the question without the name, and counts twice.
        """
        wide = max(50, min(4 * limit, _WIDEST))
        terms = question_terms(query)
        with RETRIEVAL.labels("search").time():
            everybody = await self._candidates(query, terms, filters, wide)
            speakers = await self._speakers(terms, everybody, filters)
            rest, asked = without_speakers(query, terms), [term for term in terms if not term.speaker]
            theirs = await asyncio.gather(
                *(self._candidates(rest, asked, replace(filters, author=author), wide) for author in speakers)
            )
            hits = await self._hits([everybody, *theirs], filters, limit)
        complete = all(each.complete for each in (everybody, *theirs))
        if not complete:
            DEGRADED.labels("embeddings").inc()
        return Found(hits, [] if complete else ["embeddings"], speakers)

    async def search_folded(self, query: str, filters: Filters, limit: int) -> Found:
        """Return the best ``limit`` documents of different conversations, each with how many more its own has."""
        found = await self.search(query, filters, _WIDEST)
        hits = best_of_each_conversation(found.hits)[:limit]
        counts = await self.searches.conversations([hit.document.conversation for hit in hits], filters)
        return replace(
            found, hits=[replace(hit, more=max(0, counts.get(hit.document.conversation, 1) - 1)) for hit in hits]
        )

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

    async def _candidates(self, text: str, terms: Sequence[Term], filters: Filters, limit: int) -> _Candidates:
        words = " ".join(term.word for term in terms) or text
        lexical, (dense, complete) = await asyncio.gather(
            self.searches.lexical(words, filters, limit), self._dense(text, filters, limit)
        )
        return _Candidates(lexical, dense, complete)

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
        # Those of before first: a document that is embedded anew meanwhile is then found by the other.
        embedded = [*(one for one in before if one is not None), today]
        rankings = [await self.searches.dense(one.vectors[0], one.model, filters, limit) for one in embedded]
        return rankings, None not in before

    async def _speakers(self, terms: Sequence[Term], found: _Candidates, filters: Filters) -> list[str]:
        if filters.author is not None or not any(term.speaker for term in terms):
            return []
        keys = [candidate.key for candidate in (*found.lexical, *found.meant)]
        documents = await self.searches.documents(list(dict.fromkeys(keys)), filters.access)
        written = await self.searches.authors(written_handles(terms), filters)
        return speakers_among(terms, [*(document.author for document in documents.values()), *written])

    async def _hits(self, found: Sequence[_Candidates], filters: Filters, limit: int) -> list[Hit]:
        """Fuse the candidates of everybody, which come first, and those of each speaker."""
        lexical = [_ranks(each.lexical) for each in found]
        dense = [each.dense_ranks() for each in found]
        unembedded = [each.unembedded_ranks() for each in found]
        counts = [1.0, *[SPEAKER_WEIGHT] * (len(found) - 1)]
        weights = [*counts, *(DENSE_WEIGHT * count for count in counts * 2)]
        fused = fuse(*lexical, *dense, *unembedded, weights=weights)
        scores = {key: score * filters.freshness(key[1]) for key, score in fused.items()}
        best = sorted(scores, key=lambda key: (-scores[key], key))[:limit]
        documents = await self.searches.documents(best, filters.access)
        cosine = {candidate.key: candidate.value for each in reversed(found) for candidate in each.meant}
        lexical_ranks, dense_ranks = _first(lexical), _first(dense)
        return [
            Hit(documents[key], scores[key], lexical_ranks.get(key), dense_ranks.get(key), cosine.get(key))
            for key in best
            if key in documents
        ]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What the two searches of one text found, best first, by meaning for each model; and whether all were searched."""

    lexical: Sequence[Candidate]
    dense: Sequence[Sequence[Candidate]]
    complete: bool

    @property
    def meant(self) -> list[Candidate]:
        return [candidate for ranking in self.dense for candidate in ranking]

    def dense_ranks(self) -> dict[Key, int]:
        # A document is in two of them only when it was embedded anew between them; the later is by what it has now.
        return {key: rank for ranking in self.dense for key, rank in _ranks(ranking).items()}

    def unembedded_ranks(self) -> dict[Key, int]:
        """Return the ranks by words of what cannot be found by meaning yet; they count for both."""
        if not self.dense:
            return {}
        return {one.key: rank for rank, one in enumerate(self.lexical, 1) if not one.embedded}


def _ranks(candidates: Sequence[Candidate]) -> dict[Key, int]:
    return {candidate.key: rank for rank, candidate in enumerate(candidates, 1)}


def _first(rankings: Sequence[dict[Key, int]]) -> dict[Key, int]:
    """Return the rank of each key in the first ranking that has it."""
    return {key: rank for ranking in reversed(rankings) for key, rank in ranking.items()}
