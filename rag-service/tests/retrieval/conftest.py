"""Documents with vectors along an arc."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.model import Embeddings, PendingDocument
from rag_service.embeddings.repository import EmbeddingRepository

StoreArc = Callable[[int], Awaitable[list[Draft]]]


def at_angle(angle: float) -> list[float]:
    """Return the unit vector at ``angle`` radians in the first two of eight dimensions."""
    return [math.cos(angle), math.sin(angle), 0, 0, 0, 0, 0, 0]


@pytest.fixture
def far() -> list[float]:
    """A vector beyond the end of the arc, where the cosine changes faster than half precision rounds."""
    return at_angle(2.2)


@pytest.fixture
def store_arc(documents: DocumentRepository, embeddings: EmbeddingRepository) -> StoreArc:
    """Return ``store_arc(count)``: stores documents of 2022 along an arc of one radian, every fortieth by 'rara'."""

    async def store(count: int) -> list[Draft]:
        day = datetime(2022, 1, 1, tzinfo=UTC)
        drafts = [
            Draft(f"d{n:04}", f"Texto {n}", "x", day + timedelta(hours=n), author="rara" if n % 40 == 0 else "otra")
            for n in range(count)
        ]
        await documents.save(drafts)
        pending = [
            PendingDocument((draft.id, draft.published_at), draft.content_hash, draft.text)
            for draft in drafts
            if draft.published_at
        ]
        await embeddings.set_embeddings(pending, Embeddings("m", 8, [at_angle(n / count) for n in range(count)]))
        return drafts

    return store
