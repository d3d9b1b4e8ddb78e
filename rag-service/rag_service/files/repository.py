"""SQL of files: those that wait to be read, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from castor_chassis import ANY_TIME, Postgres, TimeSpan, affected_rows
from rag_service.documents.access_repository import accessing
from rag_service.documents.model import BACKGROUND, Access
from rag_service.errors import FileNotFound, NotForYourRoles, TooManyFiles
from rag_service.files.model import File, Upload

MOST_UNREAD = 50
_COLUMNS = (
    "tenant, id, name, media_type, source, title, author, published_at, readers, state, passages, stored, error, "
    "stored_by, stored_at, updated_at"
)
_UNREAD = "state IN ('waiting', 'reading')"
# A file that failed may be sent again; one that is done, or waits, stays as it is.
_ADD = f"""
INSERT INTO files AS f (tenant, id, name, media_type, source, title, author, published_at, readers, content, stored_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant, id) DO UPDATE SET
    state = CASE WHEN f.state = 'failed' THEN 'waiting' ELSE f.state END,
    error = NULL, content = CASE WHEN f.state = 'failed' THEN excluded.content ELSE f.content END
RETURNING {_COLUMNS}
"""
# Organisations take turns: that of which no file has ended for longest is next, so that many files hold up one's own.
_NEXT = f"""
SELECT {_COLUMNS}, content FROM files AS f WHERE {_UNREAD}
ORDER BY (SELECT max(updated_at) FROM files AS e WHERE e.tenant = f.tenant AND e.state IN ('done', 'failed'))
    NULLS FIRST, stored_at, id
LIMIT 1
"""
_PROGRESS = "UPDATE files SET state = $3, passages = $4, stored = $5, updated_at = now() WHERE tenant = $1 AND id = $2"
_END = f"""
UPDATE files SET state = $3, error = $4, content = NULL, updated_at = now() WHERE tenant = $1 AND id = $2 AND {_UNREAD}
"""
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

        Raises ``NotForYourRoles`` for one that was stored before, for other roles.
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
        assert row is not None, "both an insert and an update return their row"
        return File(**row)

    async def file(self, access: Access, file_id: str) -> File:
        """Return one file; raises ``FileNotFound``."""
        async with accessing(self._postgres, access) as connection:
            sql = f"SELECT {_COLUMNS} FROM files WHERE tenant = $1 AND id = $2"
            row = await connection.fetchrow(sql, access.tenant, file_id)
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
            erased = await connection.execute("DELETE FROM files WHERE tenant = $1 AND id = $2", access.tenant, file_id)
            if affected_rows(erased) == 0:
                raise FileNotFound(file_id=file_id)
            rows = await connection.fetch(_ERASE_PASSAGES, access.tenant, file_id)
            await connection.execute(_NOTE, access.tenant, [file_id, *(row["id"] for row in rows)], access.subject)
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

    async def progress(self, file: File, passages: int, stored: int) -> bool:
        """Note how many of a file's passages are stored; return False when the file was erased meanwhile."""
        async with accessing(self._postgres, BACKGROUND) as connection:
            done = await connection.execute(_PROGRESS, file.tenant, file.id, "reading", passages, stored)
        return affected_rows(done) == 1

    async def drop_passages(self, file: File) -> None:
        """Remove the passages of a file that is erased."""
        async with accessing(self._postgres, BACKGROUND) as connection:
            await connection.execute(_ERASE_PASSAGES, file.tenant, file.id)

    async def end(self, file: File, error: str | None) -> None:
        """Note that a file is read, or why it cannot be."""
        async with accessing(self._postgres, BACKGROUND) as connection:
            await connection.execute(_END, file.tenant, file.id, "failed" if error else "done", error)
