"""HTTP: data sets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import Page, Principal, page, require
from twitter_service.api.resources import R
from twitter_service.api.schemas.datasets import Dataset
from twitter_service.api.schemas.fields import DatasetName

router = APIRouter(prefix="/v1/twitter/datasets", tags=["reading"])
CanRead = Annotated[Principal, Depends(require("tweets:read"))]


@router.get("")
async def list_datasets(
    r: R,
    _: CanRead,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[DatasetName | None, Query(description="meta.next_cursor of the page before.")] = None,
) -> Page[Dataset]:
    """List the data sets that imports have named, in order of name."""
    found = await r.datasets.find(cursor or "", limit + 1)
    items = [Dataset.model_validate(one, from_attributes=True) for one in found[:limit]]
    return page(items, next_cursor=items[-1].name if len(found) > limit else None)
