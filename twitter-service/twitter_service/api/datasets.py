"""HTTP: data sets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import Order, Page, Paged, Principal, require
from twitter_service.api.resources import R
from twitter_service.api.schemas.datasets import Dataset
from twitter_service.api.schemas.fields import DatasetName

router = APIRouter(prefix="/v1/twitter/datasets", tags=["reading"])
_BY_NAME = Order(tuple[DatasetName], lambda one: (one.name,))
CanRead = Annotated[Principal, Depends(require("tweets:read"))]


@router.get("")
async def list_datasets(
    r: R,
    _: CanRead,
    cursor: Paged,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[Dataset]:
    """List the data sets that imports have named, in order of name."""
    (after,) = cursor.after(_BY_NAME) or ("",)
    found = await r.datasets.find(after, limit + 1)
    return cursor.page(found, limit, _BY_NAME, lambda one: Dataset.model_validate(one, from_attributes=True))
