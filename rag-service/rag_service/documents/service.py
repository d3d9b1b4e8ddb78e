"""Documents: those that organisations store, and those of the feed as far as users may read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from castor_chassis import ANY_TIME, TimeSpan
from rag_service.documents.model import Access, Document, DocumentFilter, Draft, Erasure, SavedDocuments
from rag_service.documents.provenance import is_reserved_id, is_reserved_name, names_other_content
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.errors import DuplicateIds, ReservedId
from rag_service.text.normal import searchable


@dataclass(frozen=True, slots=True)
class DocumentService:
    """Stores, reads and erases documents of one organisation; tweets are the feed's, and passages their file's."""

    feed: DocumentRepository
    owned: TenantDocumentRepository

    async def store(self, access: Access, origin: str, drafts: Sequence[Draft]) -> SavedDocuments:
        """Store ``drafts`` (at least one), all or none; ``origin`` says by which way they came.

        Raises ``ReservedId`` when one has an id that the server gives, or poses as a tweet, and ``DuplicateIds`` when
        two have the same id.
        """
        for draft in drafts:
            if is_reserved_id(draft.id) or names_other_content(draft) or _poses_as_tweet(draft):
                raise ReservedId(document_id=draft.id)
        name, times = Counter(draft.id for draft in drafts).most_common(1)[0]
        if times > 1:
            raise DuplicateIds(document_id=name)
        return await self.owned.save(access, origin, drafts)

    async def document(self, access: Access, document_id: str) -> Document:
        """Return a document that ``access`` may read; raises ``DocumentNotFound``."""
        return await self.owned.document(access, document_id)

    async def erase(self, access: Access, document_id: str, *, only_own: bool = False) -> None:
        """Erase a document of the organisation, with ``only_own`` one that ``access`` stored.

        Raises ``DocumentNotFound``, or ``ReservedId`` (tweets, passages).
        """
        if is_reserved_id(document_id):
            raise ReservedId(document_id=document_id)
        await self.owned.erase(access, document_id, only_own=only_own)

    async def page(self, access: Access, wanted: DocumentFilter, after: str, limit: int) -> list[Document]:
        """Return the organisation's documents with an id after ``after``, by id."""
        return await self.owned.page(access, wanted, after, limit)

    async def erase_source(self, access: Access, source: str) -> int:
        """Erase the organisation's documents of a source; return how many there were."""
        return await self.owned.erase_source(access, source)

    async def erasures(self, access: Access, before: int, limit: int, erased: TimeSpan = ANY_TIME) -> list[Erasure]:
        """Return who erased which documents of the organisation in a span, newest first."""
        return await self.owned.erasures(access, before, limit, erased)

    async def feed_cursor(self) -> str:
        """Return the position up to which the feed of tweets is stored; "0" is its beginning."""
        return await self.feed.cursor()


def _poses_as_tweet(draft: Draft) -> bool:
    if draft.author is not None and searchable(draft.author).strip().startswith("@"):
        return True
    return is_reserved_name(draft.source) or (draft.author is not None and is_reserved_name(draft.author))
