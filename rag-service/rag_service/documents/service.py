"""Documents: those that users upload, and those of the feed as far as users may read and erase them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag_service.documents.model import TWEET_PREFIX, TWEET_SOURCE, Document, Draft, SavedDocuments
from rag_service.documents.repository import DocumentRepository
from rag_service.errors import DuplicateIds, ReservedId


@dataclass(frozen=True, slots=True)
class DocumentService:
    """Stores, reads and erases documents; nobody but the feed stores tweets."""

    documents: DocumentRepository

    async def store(self, drafts: Sequence[Draft]) -> SavedDocuments:
        """Store ``drafts`` (at least one), all or none.

        Raises ``ReservedId`` when one poses as a tweet, ``DuplicateIds`` when two have the same id.
        """
        for draft in drafts:
            if draft.id.startswith(TWEET_PREFIX) or draft.source.strip().lower() == TWEET_SOURCE:
                raise ReservedId(document_id=draft.id)
        name, times = Counter(draft.id for draft in drafts).most_common(1)[0]
        if times > 1:
            raise DuplicateIds(document_id=name)
        return await self.documents.save(drafts)

    async def document(self, document_id: str) -> Document:
        """Return one document; raises ``DocumentNotFound``."""
        return await self.documents.document(document_id)

    async def erase(self, document_id: str) -> None:
        """Erase one document; raises ``DocumentNotFound``."""
        await self.documents.erase(document_id)

    async def feed_cursor(self) -> str:
        """Return the position up to which the feed of tweets is stored; "0" is its beginning."""
        return await self.documents.cursor()
