"""Files that are erased while they are read, and files that are sent again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from castor_chassis import Postgres
from rag_service.documents.access_repository import accessing
from rag_service.documents.model import BACKGROUND, Access, Draft
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.errors import FileStoredOtherwise, NotForYourRoles
from rag_service.files.chunking import drafts_of
from rag_service.files.model import File, Section, Upload
from rag_service.files.repository import FileRepository

ANA = Access("acme", ("analyst",), "user:ana")
PLAN = Upload("plan", "text/plain", b"Un hospital. Una escuela.", "programa")
SECRET = replace(PLAN, readers=["analyst"])


@pytest.fixture
def files(postgres: Postgres) -> FileRepository:
    """The files."""
    return FileRepository(postgres)


async def taken(files: FileRepository) -> tuple[File, list[Draft]]:
    """Return the next file as the worker takes it, and its passages."""
    waiting = await files.next_unread()
    assert waiting is not None
    file, content = waiting
    return file, drafts_of(file, [Section(None, part) for part in content.decode().split(". ")])


async def passages(postgres: Postgres) -> list[list[str]]:
    """Return for whom each stored passage is."""
    async with accessing(postgres, BACKGROUND) as connection:
        return [row["readers"] for row in await connection.fetch("SELECT readers FROM tenant_documents ORDER BY id")]


@pytest.mark.parametrize("again", [None, SECRET])
async def test_what_was_erased_is_stored_no_more(
    files: FileRepository, postgres: Postgres, again: Upload | None
) -> None:
    """The worker stores nothing of a file that was erased, also when the same bytes came again, for fewer readers."""
    await files.add(ANA, PLAN)
    file, drafts = await taken(files)
    assert await files.store_passages(file, drafts[:1], 2, 1)
    await files.erase(ANA, file.id)
    if again is not None:
        await files.add(ANA, again)
    assert not await files.store_passages(file, drafts[1:], 2, 2)
    assert await passages(postgres) == []
    if again is not None:
        await files.end(file, "of the one before")
        file, drafts = await taken(files)
        assert await files.store_passages(file, drafts, 2, 2)
        assert await passages(postgres) == [["analyst"], ["analyst"]]


async def test_a_source_that_is_erased_takes_along_what_is_read_of_it(
    files: FileRepository, postgres: Postgres
) -> None:
    """The erasure of a source erases the file, and nothing of it is stored afterwards."""
    await files.add(ANA, PLAN)
    file, drafts = await taken(files)
    await TenantDocumentRepository(postgres).erase_source(ANA, PLAN.source)
    assert not await files.store_passages(file, drafts, 2, 2)
    assert await passages(postgres) == []


async def test_a_file_that_failed_is_what_it_is_said_to_be_the_next_time(
    files: FileRepository, postgres: Postgres
) -> None:
    """Sent with the wrong type, it is corrected by sending it with the right one; nothing of before is left."""
    wrong = await files.add(ANA, replace(PLAN, media_type="application/pdf"))
    file, drafts = await taken(files)
    assert await files.store_passages(file, drafts[:1], 2, 1)
    await files.end(file, "it is no PDF")
    assert await passages(postgres) == []
    right = replace(SECRET, title="Plan de gobierno", author="Ana", name="plan.txt")
    corrected = await files.add(ANA, right)
    assert corrected.id == wrong.id
    assert (corrected.state, corrected.error, corrected.passages, corrected.stored) == ("waiting", None, 0, 0)
    assert right.differs_from(corrected) == []
    assert (await taken(files))[0] == corrected


@pytest.mark.parametrize(
    ("other", "fields"),
    [
        (SECRET, "readers"),
        (replace(PLAN, media_type="text/html", title="Plan"), "media_type, title"),
        (replace(PLAN, name="plan (2)"), None),
    ],
)
@pytest.mark.parametrize("read", [False, True])
async def test_a_stored_file_is_not_said_to_be_what_it_is_not(
    files: FileRepository, other: Upload, fields: str | None, *, read: bool
) -> None:
    """Sent again with other values than it has, which would be ignored, it is refused; the name alone is no value."""
    first = await files.add(ANA, PLAN)
    if read:
        await files.end((await taken(files))[0], None)
    if fields is None:
        assert (await files.add(ANA, other)).id == first.id
        return
    with pytest.raises(FileStoredOtherwise, match=f"another value of: {fields}"):
        await files.add(ANA, other)
    assert (await files.file(ANA, first.id)).readers == []


async def test_readers_are_the_same_in_any_order(files: FileRepository, postgres: Postgres) -> None:
    """Of a file and of a document; one more or less makes a difference."""
    both = replace(PLAN, readers=["analyst", "editor"])
    turned = replace(PLAN, readers=["editor", "analyst", "editor"])
    assert (await files.add(ANA, turned)).id == (await files.add(ANA, both)).id
    documents = TenantDocumentRepository(postgres)
    stored = [
        await documents.save(ANA, "upload", [Draft("x", "Un hospital.", "notas", readers=readers)])
        for readers in (both.readers, turned.readers, ["analyst"], both.readers)
    ]
    assert [(len(one.created), len(one.updated)) for one in stored] == [(1, 0), (0, 0), (0, 1), (0, 1)]


@pytest.mark.parametrize("failed", [False, True])
async def test_a_file_for_other_roles_is_neither_told_nor_replaced(files: FileRepository, *, failed: bool) -> None:
    """Who may not read it is refused, whatever became of it."""
    await files.add(ANA, SECRET)
    if failed:
        await files.end((await taken(files))[0], "broken")
    with pytest.raises(NotForYourRoles):
        await files.add(Access("acme", ("editor",), "user:luis"), PLAN)
