"""Imports of files: what callers may ask, and how many run at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from castor_chassis import Overloaded, TimeSpan
from twitter_service.datasets.repository import DatasetRepository
from twitter_service.entities.rematcher import Rematcher
from twitter_service.entities.repository import EntityRepository
from twitter_service.entities.tweet_writer import InThread, TweetWriter
from twitter_service.imports.import_run import ImportRun, ImportTools
from twitter_service.imports.model import ImportLimits, ImportOptions, ImportRecord
from twitter_service.imports.repository import ImportRepository


class ImportService:
    """Imports files, and says what became of them."""

    def __init__(
        self,
        imports: ImportRepository,
        datasets: DatasetRepository,
        entities: EntityRepository,
        writer: TweetWriter,
        rematcher: Rematcher,
        in_thread: InThread,
        limits: ImportLimits,
    ) -> None:
        self._imports = imports
        self._limits = limits
        self._tools = ImportTools(imports, datasets, entities, writer, rematcher, in_thread, limits)
        self._running = 0

    def is_running(self) -> bool:
        """Return whether this process imports a file."""
        return self._running > 0

    async def run(self, pieces: AsyncIterator[bytes], options: ImportOptions) -> ImportRecord:
        """Import a file.

        Raises ``EmptyImport``, ``NotUtf8``, ``NotUtf16``, ``DatabaseFile``, ``MissingColumns``, ``RepeatedColumn``,
        ``BrokenGzip``, ``BrokenArchive``, ``ArchiveNotSingle``, ``BrokenWorkbook``, ``UnpackedTooLarge``,
        ``ImportDiffers``, ``ImportTakenOver``, ``Overloaded`` or ``DatabaseUnavailable``. What was
        stored before a failure stays; the same file sent again goes on from there, under the same id.
        """
        if self._running >= self._limits.max_concurrent:
            raise Overloaded(limit=self._limits.max_concurrent, retry_after_seconds=5)
        self._running += 1
        try:
            import_id = await ImportRun(self._tools, options).import_all(pieces)
        finally:
            self._running -= 1
        return await self._imports.get(import_id)

    async def get(self, import_id: str) -> ImportRecord:
        """Return an import; raises ``ImportNotFound``."""
        return await self._imports.get(import_id)

    async def latest(self, limit: int, started: TimeSpan, before: tuple[datetime, str] | None) -> list[ImportRecord]:
        """Return imports, newest first; see ``ImportRepository.latest``."""
        return await self._imports.latest(limit, started, before)
