"""Background work: reads the files that wait, one after another, and stores their passages."""

from __future__ import annotations

import asyncio

import structlog

from castor_chassis import DatabaseUnavailable
from rag_service.documents.model import Draft
from rag_service.errors import FileUnreadable, NotForYourRoles
from rag_service.files.chunking import drafts_of
from rag_service.files.model import File
from rag_service.files.reading_process import ReadingProcess
from rag_service.files.repository import FileRepository

BATCH = 200
IDLE_SECONDS = 0.5
FAILED = (
    "The service failed while it read this file, and its log says why under the file's id; send the file again, or its "
    "text as text/plain."
)
log = structlog.get_logger("castor.rag.files")


class FileReader:
    """Reads files; run it under a lease. A file whose reading was broken off is read again from its beginning, which
    stores nothing twice."""

    def __init__(self, files: FileRepository, process: ReadingProcess) -> None:
        self._files = files
        self._process = process

    async def run(self) -> None:
        """Read until cancelled; raises what the database raises, and can then be run again."""
        while True:
            if not await self.step():
                await asyncio.sleep(IDLE_SECONDS)

    async def step(self) -> bool:
        """Read one file; return whether there was one. Raises ``DatabaseUnavailable``; other failures end the file."""
        waiting = await self._files.next_unread()
        if waiting is None:
            return False
        file, content = waiting
        try:
            passages = await self._process.passages(file.media_type, content)
            is_stored = await self._store(file, await asyncio.to_thread(drafts_of, file, passages))
        except DatabaseUnavailable:
            raise
        except (FileUnreadable, NotForYourRoles) as error:
            log.warning("file_not_read", file=file.id, reason=str(error))
            await self._files.end(file, str(error))
        except Exception:
            # It would fail again at each try, and no other file would be read.
            log.exception("file_failed", file=file.id)
            await self._files.end(file, FAILED)
        else:
            if is_stored:
                await self._files.end(file, None)
        return True

    async def _store(self, file: File, passages: list[Draft]) -> bool:
        """Return False when the file was erased, or sent again, meanwhile: then nothing more of it is stored."""
        for first in range(0, len(passages), BATCH):
            batch = passages[first : first + BATCH]
            if not await self._files.store_passages(file, batch, len(passages), first + len(batch)):
                return False
        return True
