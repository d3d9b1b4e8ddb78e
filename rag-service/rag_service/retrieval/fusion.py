"""What two rankings make together, and which hits repeat others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat, zip_longest

from rag_service.documents.model import Key
from rag_service.retrieval.model import Hit
from rag_service.text.words import words_of

RRF_K = 60
"""Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009."""
NEAR_DUPLICATE = 0.8
"""Jaccard similarity of word sets from which two documents are near-duplicates: retweets, chain messages, copies."""


def fuse(*rankings: dict[Key, int], weights: Sequence[float] = ()) -> dict[Key, float]:
    """Return the reciprocal rank fusion of ``rankings`` (ranks from 1): the sum over them of weight / (60 + rank).

    A ranking without a weight has the weight 1.
    """
    scores: dict[Key, float] = {}
    for ranking, weight in zip(rankings, chain(weights, repeat(1.0)), strict=False):
        for key, rank in ranking.items():
            scores[key] = scores.get(key, 0.0) + weight / (RRF_K + rank)
    return scores


def shared(rankings: Sequence[Sequence[Hit]], number: int) -> list[Hit]:
    """Return ``number`` of the hits of all ``rankings``: the first of each, then the second of each, and so on."""
    rounds = zip_longest(*rankings)
    return [hit for each in rounds for hit in each if hit is not None][:number]


def without_near_duplicates(hits: Iterable[Hit], limit: int | None = None) -> list[Hit]:
    """Return ``hits`` without those that are near-duplicates of one before them, the first ``limit`` of these."""
    kept: list[tuple[Hit, frozenset[str]]] = []
    for hit in hits:
        if len(kept) == limit:
            break
        words = words_of(hit.document.text)
        if not any(similar_words(words, before) for _, before in kept):
            kept.append((hit, words))
    return [hit for hit, _ in kept]


def best_of_each_conversation(hits: Iterable[Hit]) -> list[Hit]:
    """Return ``hits`` without those of a conversation that one before them is of."""
    told: set[str | None] = set()
    kept = []
    for hit in hits:
        name = hit.document.conversation
        if name is None or name not in told:
            kept.append(hit)
        told.add(name)
    return kept


def similar_words(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two texts with these words are near-duplicates."""
    union = len(one | other)
    return union > 0 and len(one & other) / union >= NEAR_DUPLICATE
