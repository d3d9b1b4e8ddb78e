"""The route that exports the audit log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from auth_service.api.dependencies import R, UsersReader, within
from castor_chassis import Identifier, SinceQuery, UntilQuery, check_span

AUDIT_PATH = "/v1/auth/audit"
router = APIRouter(tags=["administration"])
_LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One event per line, oldest first, each with the hash that chains it to the one before.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
}


@router.get(AUDIT_PATH, response_class=StreamingResponse, responses=_LINES)
async def export_audit(
    r: R,
    reader: UsersReader,
    after: Annotated[
        int, Query(ge=0, le=2**62, description="seq of the last line you have, a place in the chain.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000_000)] = 100_000,
    since: SinceQuery = None,
    until: UntilQuery = None,
    subject: Annotated[Identifier | None, Query(description="Only events about this user or service.")] = None,
    event: Annotated[Identifier | None, Query(description="Only events of this name.")] = None,
) -> StreamingResponse:
    """Export security events as JSON Lines, of one's own organisation unless it is the default one.

    `python -m auth_service verify-audit FILE` checks an unfiltered export.
    Times have the microseconds that the hashes cover.
    """
    check_span(since, until)
    lines = await r.audit_chain.export(
        after, limit, subject=subject, event=event, org=within(reader), written=(since, until)
    )
    return StreamingResponse(lines, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})
