"""HTTP: imports of files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from opentelemetry import propagate

from castor_chassis import (
    ComposedText,
    Identifier,
    Ok,
    Order,
    Overloaded,
    Page,
    Paged,
    Principal,
    SinceQuery,
    Timestamp,
    UntilQuery,
    check_span,
    current_request,
    errors_of,
    ok,
    require,
)
from twitter_service.api.resources import R
from twitter_service.api.schemas.fields import DatasetName
from twitter_service.api.schemas.imports import Import
from twitter_service.api.upload import DOCUMENTED, FILE, FORM, FORM_SCHEMA, Upload
from twitter_service.errors import (
    ArchiveNotSingle,
    BadColumns,
    BadForm,
    BrokenArchive,
    BrokenGzip,
    BrokenWorkbook,
    DatabaseFile,
    EmptyImport,
    ImportDiffers,
    ImportNotFound,
    ImportTakenOver,
    MissingColumns,
    NotUtf8,
    NotUtf16,
    RepeatedColumn,
    UnpackedTooLarge,
    UnsupportedFile,
    UploadBroken,
)
from twitter_service.imports.model import ImportOptions, Origin
from twitter_service.imports.readers.base import Format
from twitter_service.imports.readers.encoding import Encoding
from twitter_service.imports.readers.table_columns import Dates, TableOptions, columns_of

router = APIRouter(prefix="/v1/twitter/imports", tags=["twitter"])
CanRead = Annotated[Principal, Depends(require("tweets:read"))]
CanWrite = Annotated[Principal, Depends(require("tweets:write"))]

_NEWEST = Order(tuple[Timestamp, Identifier], lambda one: (one.started_at, one.id), newest_first=True)
_FILES = {**{media_type: dict(FILE) for media_type in DOCUMENTED}, FORM: dict(FORM_SCHEMA)}
_FILE_BODY = {"requestBody": {"required": True, "content": _FILES}}


async def large_body(request: Request) -> None:
    """Allow this route the size of a file instead of that of a JSON body."""
    request.scope["castor_max_body_bytes"] = request.app.state.chassis.settings.import_max_bytes


async def origin() -> Origin:
    """Return the ids of this request, which background work continues."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    info = current_request()
    return Origin(info.request_id if info else None, carrier.get("traceparent"))


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(large_body)],
    openapi_extra=_FILE_BODY,
    responses=errors_of(
        EmptyImport,
        NotUtf8,
        NotUtf16,
        DatabaseFile,
        MissingColumns,
        RepeatedColumn,
        BadColumns,
        BrokenGzip,
        BrokenArchive,
        ArchiveNotSingle,
        BrokenWorkbook,
        BadForm,
        UnsupportedFile,
        UnpackedTooLarge,
        UploadBroken,
        ImportDiffers,
        ImportTakenOver,
        Overloaded,
    ),
)
async def import_file(
    request: Request,
    r: R,
    _: CanWrite,
    begun_by: Annotated[Origin, Depends(origin)],
    file_format: Annotated[Format | None, Query(alias="format", description="Recognised when left out.")] = None,
    filename: Annotated[ComposedText | None, Query(max_length=255)] = None,
    track_authors: Annotated[
        bool, Query(description="Authors become entities where the file speaks of nobody tracked.")
    ] = False,
    resume: Annotated[bool, Query(description="Go on where an import of the same file broke off.")] = True,
    columns: Annotated[
        ComposedText | None,
        Query(max_length=1000, description="Headers that are not recognised, as FIELD:HEADER, separated by commas."),
    ] = None,
    dates: Annotated[Dates | None, Query(description="Order of day and month in dates such as 3/4/2022.")] = None,
    encoding: Annotated[
        Encoding | None, Query(description="UTF-8, and UTF-16 with a byte-order mark, are recognised.")
    ] = None,
    dataset: Annotated[
        DatasetName | None, Query(description="Data set that the tweets are put in, and can be counted by.")
    ] = None,
) -> Ok[Import]:
    """Take in a table (id, username, created_at, text; also .xlsx) or JSON (tweets or pages), also packed.

    The file is the body, or the one file of a form. A zip archive holds exactly one file.
    """
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdigit() else None
    table = TableOptions(columns_of(columns), dates)
    file = Upload(request)
    await file.open()
    options = ImportOptions(
        file_format, filename or file.filename, track_authors, begun_by, resume, size, table, encoding, dataset
    )
    return ok(Import.of(await r.imports.run(file.pieces(), options)))


@router.get("")
async def list_imports(
    r: R,
    _: CanRead,
    cursor: Paged,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Page[Import]:
    """List imports by when they started, newest first: those under way, done and failed."""
    check_span(since, until)
    found = await r.imports.latest(limit + 1, (since, until), cursor.after(_NEWEST))
    return cursor.page(found, limit, _NEWEST, Import.of)


@router.get("/{import_id}", responses=errors_of(ImportNotFound))
async def get_import(import_id: Identifier, r: R, _: CanRead) -> Ok[Import]:
    """Return what became of a file, or how far it is."""
    return ok(Import.of(await r.imports.get(import_id)))
