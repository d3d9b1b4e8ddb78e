"""Routes of files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect

from castor_chassis import (
    ComposedText,
    Identifier,
    Ok,
    Page,
    Paged,
    SinceQuery,
    Timestamp,
    UntilQuery,
    check_span,
    errors_of,
    ok,
)
from rag_service.api.documents import BY_ID, Limit, SourceName
from rag_service.api.mappers import file_of
from rag_service.api.resources import CanReadDocuments, CanWriteDocuments, R, access_of
from rag_service.api.schemas.documents import Role
from rag_service.api.schemas.files import FileErased, FileOut
from rag_service.errors import (
    EmptyFile,
    FileNotFound,
    FileStoredOtherwise,
    NotForYourRoles,
    ReservedId,
    TooManyFiles,
    UnknownMediaType,
    UploadBroken,
)
from rag_service.files.model import MEDIA_TYPES, MOST_BYTES, UNNAMED, Upload, media_type_of

router = APIRouter(prefix="/v1/rag/files", tags=["rag"])
Named = Annotated[ComposedText | None, Query(max_length=200)]
_FILE = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": dict.fromkeys((*MEDIA_TYPES, UNNAMED), _FILE)},
}


@router.post(
    "",
    status_code=202,
    responses=errors_of(
        ReservedId, NotForYourRoles, FileStoredOtherwise, TooManyFiles, UnknownMediaType, EmptyFile, UploadBroken
    ),
    openapi_extra=_BODY,
)
async def store_file(
    request: Request,
    r: R,
    who: CanWriteDocuments,
    name: Annotated[ComposedText, Query(min_length=1, max_length=200)],
    source: SourceName,
    title: Named = None,
    author: Named = None,
    published_at: Annotated[Timestamp | None, Query()] = None,
    readers: Annotated[list[Role] | None, Query(max_length=10)] = None,
) -> Ok[FileOut]:
    """Store a file of up to 5 MB to be read into passages; GET it for how far that is.

    The body is the file itself, and its Content-Type says what it is; of application/octet-stream the end of `name`
    does, such as .pdf. The same file of the same source is stored once; one that failed may be
    sent again with other values, any other is erased first.
    """
    content_type = request.headers.get("content-type", "")
    media_type = media_type_of(content_type, name)
    if media_type is None:
        raise UnknownMediaType(media_type=content_type or "none", known=", ".join(MEDIA_TYPES))
    content = await _content(request)
    upload = Upload(name, media_type, content, source, title, author, published_at, readers or [])
    return ok(file_of(await r.files.add(access_of(who), upload)))


@router.get("")
async def list_files(
    r: R,
    who: CanReadDocuments,
    cursor: Paged,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Limit = 50,
) -> Page[FileOut]:
    """Return the files of your organisation by id; `since` and `until` bound when they were stored."""
    check_span(since, until)
    (after,) = cursor.after(BY_ID) or ("",)
    found = await r.files.page(access_of(who), after, limit + 1, (since, until))
    return cursor.page(found, limit, BY_ID, file_of)


@router.get("/{file_id}", responses=errors_of(FileNotFound))
async def get_file(file_id: Identifier, r: R, who: CanReadDocuments) -> Ok[FileOut]:
    """Return a file: whether it is read, and how many of its passages are documents."""
    return ok(file_of(await r.files.file(access_of(who), file_id)))


@router.delete("/{file_id}", responses=errors_of(FileNotFound))
async def erase_file(file_id: Identifier, r: R, who: CanWriteDocuments) -> Ok[FileErased]:
    """Erase a file with its passages."""
    return ok(FileErased(id=file_id, passages=await r.files.erase(access_of(who), file_id)))


async def _content(request: Request) -> bytes:
    request.scope["castor_max_body_bytes"] = MOST_BYTES
    try:
        content = await request.body()
    except ClientDisconnect as error:
        raise UploadBroken from error
    if not content:
        raise EmptyFile
    return content
