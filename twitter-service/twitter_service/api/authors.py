"""HTTP: authors of tweets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from castor_chassis import Ok, Principal, errors_of, ok, require
from twitter_service.api.resources import R
from twitter_service.api.schemas.authors import AuthorOut
from twitter_service.api.schemas.fields import AuthorName
from twitter_service.errors import AuthorNotFound

router = APIRouter(prefix="/v1/twitter/authors", tags=["reading"])
CanRead = Annotated[Principal, Depends(require("tweets:read"))]


@router.get("/{username}", responses=errors_of(AuthorNotFound))
async def get_author(username: AuthorName, r: R, _: CanRead) -> Ok[AuthorOut]:
    """Return what is known of an author: the credibility, and the reasons for it."""
    return ok(AuthorOut.of(await r.queries.author(username)))
