"""Files that an organisation sends to be read into passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from castor_chassis import ANY_TIME, TimeSpan
from rag_service.documents.model import Access
from rag_service.documents.provenance import is_reserved_name
from rag_service.errors import NotForYourRoles, ReservedId
from rag_service.files.model import File, Upload
from rag_service.files.repository import FileRepository


@dataclass(frozen=True, slots=True)
class FileService:
    """Takes files in; ``worker.py`` reads them."""

    files: FileRepository

    async def add(self, access: Access, upload: Upload) -> File:
        """Store a file to be read; the same content of the same source is stored once.

        Raises ``ReservedId``, ``NotForYourRoles``, ``FileStoredOtherwise`` and ``TooManyFiles``.
        """
        if is_reserved_name(upload.source) or (upload.author is not None and is_reserved_name(upload.author)):
            raise ReservedId(document_id=upload.name)
        if upload.readers and not set(upload.readers) & set(access.roles):
            raise NotForYourRoles
        return await self.files.add(access, upload)

    async def file(self, access: Access, file_id: str) -> File:
        """Return one file; raises ``FileNotFound``."""
        return await self.files.file(access, file_id)

    async def page(self, access: Access, after: str, limit: int, stored: TimeSpan = ANY_TIME) -> Sequence[File]:
        """Return the organisation's files that were stored in a span, with an id after ``after``, by id."""
        return await self.files.page(access, after, limit, stored)

    async def erase(self, access: Access, file_id: str) -> int:
        """Erase a file with its passages; return how many there were. Raises ``FileNotFound``."""
        return await self.files.erase(access, file_id)
