"""Route of the status."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, ok
from trending_service.api.resources import CanRead, R
from trending_service.api.schemas.status import Status

router = APIRouter(prefix="/v1/trending", tags=["trending"])


@router.get("/status")
async def get_status(r: R, _: CanRead) -> Ok[Status]:
    """Tell how far the feed of tweets is followed."""
    return ok(Status.model_validate(await r.ingest.status(), from_attributes=True))
