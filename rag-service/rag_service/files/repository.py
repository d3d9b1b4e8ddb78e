"""SQL of files: those that wait to be read, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from castor_chassis import ANY_TIME, Postgres, TimeSpan, affected_rows
from rag_service.documents.access_repository import accessing
from rag_service.documents.kept_answers_repository import forget
from rag_service.documents.model import BACKGROUND, Access, Draft
from rag_service.documents.repository import WRITER_LOCK
from rag_service.documents.tenant_repository import prepared, save_in
from rag_service.errors import FileNotFound, FileStoredOtherwise, NotForYourRoles, TooManyFiles
from rag_service.files.model import File, Upload

MOST_UNREAD = 50
_COLUMNS = (
    "tenant, id, name, media_type, source, title, author, published_at, readers, state, passages, stored, error, "
    "stored_by, stored_at, updated_at, generation"
)
_UNREAD = "state IN ('waiting', 'reading')"
# A file that failed may be sent again, and said to be something else; one that is done, or waits, stays as it is.
_ADD = f"""
INSERT INTO files AS f (tenant, id, name, media_type, source, title, author, published_at, readers, content, stored_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant, id) DO UPDATE SET
    state = 'waiting', error = NULL, passages = 0, stored = 0, generation = DEFAULT, updated_at = now(),
    (name, media_type, title, author, published_at, readers, content, stored_by) = ROW(
        excluded.name, excluded.media_type, excluded.title, excluded.author, excluded.published_at, excluded.readers,
        excluded.content, excluded.stored_by)
WHERE f.state = 'failed'
RETURNING {_COLUMNS}
"""
_READ = f"SELECT {_COLUMNS} FROM files WHERE tenant = $1 AND id = $2"
# Organisations take turns: that of which no file has ended for longest is next, so that many files hold up one's own.
_NEXT = f"""
SELECT {_COLUMNS}, content FROM files AS f WHERE {_UNREAD}
ORDER BY (SELECT max(updated_at) FROM files AS e WHERE e.tenant = f.tenant AND e.state IN ('done', 'failed'))
    NULLS FIRST, stored_at, id
LIMIT 1
"""
_TAKEN = f"WHERE tenant = $1 AND id = $2 AND generation = $3 AND {_UNREAD}"
_PROGRESS = f"UPDATE files SET state = 'reading', passages = $4, stored = $5, updated_at = now() {_TAKEN}"
_DONE = f"UPDATE files SET state = 'done', content = NULL, updated_at = now() {_TAKEN}"
_FAILED = f"UPDATE files SET state = 'failed', error = $4, stored = 0, content = NULL, updated_at = now() {_TAKEN}"
_LIST = f"""
SELECT {_COLUMNS} FROM files WHERE tenant = $1 AND id > $2 AND ($4::timestamptz IS NULL OR stored_at >= $4)
AND ($5::timestamptz IS NULL OR stored_at < $5) ORDER BY id LIMIT $3
"""
_ERASE_PASSAGES = "DELETE FROM tenant_documents WHERE tenant = $1 AND id LIKE $2 || ':%' RETURNING id"
_NOTE = "INSERT INTO erasures (tenant, document_id, erased_by) SELECT $1, unnest($2::text[]), $3"


class FileRepository:
    """Files of organisations. Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, access: Access, upload: Upload) -> File:
        """Store a file to be read; raises ``TooManyFiles`` while too many wait.

        Raises ``NotForYourRoles`` for one that was stored before, for other roles, and ``FileStoredOtherwise`` for one
        that is said to be something else.
        """
        values = (upload.name, upload.media_type, upload.source, upload.title, upload.author, upload.published_at)
        async with accessing(self._postgres, access) as connection:
            count = f"SELECT count(*) FROM files WHERE tenant = $1 AND id <> $2 AND {_UNREAD}"
            if await connection.fetchval(count, access.tenant, upload.id) >= MOST_UNREAD:
                raise TooManyFiles(limit=MOST_UNREAD, retry_after_seconds=30)
            stored = (*values, upload.readers, upload.content, access.subject)
            try:
                row = await connection.fetchrow(_ADD, access.tenant, upload.id, *stored)
            except asyncpg.InsufficientPrivilegeError as error:
                raise NotForYourRoles from error
            return File(**row) if row is not None else await _stored_before(connection, access, upload)

    async def file(self, access: Access, file_id: str) -> File:
        """Return one file; raises ``FileNotFound``."""
        async with accessing(self._postgres, access) as connection:
            row = await connection.fetchrow(_READ, access.tenant, file_id)
        if row is None:
            raise FileNotFound(file_id=file_id)
        return File(**row)

    async def page(self, access: Access, after: str, limit: int, stored: TimeSpan = ANY_TIME) -> Sequence[File]:
        """Return the organisation's files that were stored in a span, with an id after ``after``, by id."""
        async with accessing(self._postgres, access) as connection:
            rows = await connection.fetch(_LIST, access.tenant, after, limit, *stored)
        return [File(**row) for row in rows]

    async def erase(self, access: Access, file_id: str) -> int:
        """Remove a file and its passages, note who did, and return how many passages there were."""
        async with accessing(self._postgres, access) as connection:
            await connection.execute(WRITER_LOCK)
            erased = await connection.execute("DELETE FROM files WHERE tenant = $1 AND id = $2", access.tenant, file_id)
            if affected_rows(erased) == 0:
                raise FileNotFound(file_id=file_id)
            rows = await connection.fetch(_ERASE_PASSAGES, access.tenant, file_id)
            gone = [file_id, *(row["id"] for row in rows)]
            await connection.execute(_NOTE, access.tenant, gone, access.subject)
            await forget(connection, gone, access.tenant)
        return len(rows)

    async def next_unread(self) -> tuple[File, bytes] | None:
        """Return the file that waits longest of the organisation whose turn it is, with its bytes."""
        async with accessing(self._postgres, BACKGROUND) as connection:
            row = await connection.fetchrow(_NEXT)
        if row is None:
            return None
        fields = dict(row)
        content = fields.pop("content")
        return File(**fields), content

    async def store_passages(self, file: File, drafts: Sequence[Draft], passages: int, stored: int) -> bool:
        """Store some of the ``passages`` of a file, of which ``stored`` are stored then.

        Returns False, and stores nothing, when the file was erased or sent again since it was taken. Raises
        ``NotForYourRoles`` when one would replace a document for other roles.
        """
        batch = await prepared(drafts)
        async with accessing(self._postgres, file.access) as connection:
            await connection.execute(WRITER_LOCK)
            noted = await connection.execute(_PROGRESS, file.tenant, file.id, file.generation, passages, stored)
            if affected_rows(noted) == 0:
                return False
            await save_in(connection, file.access, "file", batch)
        return True

    async def end(self, file: File, error: str | None) -> None:
        """Note that a file is read, or why it cannot be: then none of its passages stays.

        A file that was erased or sent again since it was taken stays as it is.
        """
        async with accessing(self._postgres, file.access) as connection:
            if error is None:
                await connection.execute(_DONE, file.tenant, file.id, file.generation)
                return
            await connection.execute(WRITER_LOCK)
            ended = await connection.execute(_FAILED, file.tenant, file.id, file.generation, error)
            if affected_rows(ended) == 1:
                rows = await connection.fetch(_ERASE_PASSAGES, file.tenant, file.id)
                await forget(connection, [row["id"] for row in rows], file.tenant)


async def _stored_before(connection: asyncpg.Connection, access: Access, upload: Upload) -> File:
    row = await connection.fetchrow(_READ, access.tenant, upload.id)
    if row is None:
        raise NotForYourRoles
    file = File(**row)
    if others := upload.differs_from(file):
        raise FileStoredOtherwise(file_id=file.id, fields=", ".join(others))
    return file
