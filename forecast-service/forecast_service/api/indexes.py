"""Routes of the indexes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import Ok, Timestamp, errors_of, ok
from forecast_service.api.mappers import momentum_of, narrative_of, series_of, share_of_voice_of, weeks_of
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.fields import DATASET, DatasetName, EntityId
from forecast_service.api.schemas.indexes import Momentum, Narrative, NarrativeRequest, Series, ShareOfVoice, Weeks
from forecast_service.errors import DatasetNotFound, EntityNotFound, TooFewDays, TooFewTweets
from forecast_service.indexes.momentum import momentum_now
from forecast_service.indexes.narrative import ScoredText, narrative

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])
AsOf = Annotated[Timestamp | None, Query(description="As if nothing later had happened; default: now.")]
InDataset = Annotated[DatasetName | None, Query(description=DATASET)]
DaysBack = Annotated[int, Query(ge=1, le=730)]


@router.get("/icce", responses=errors_of(EntityNotFound, DatasetNotFound))
async def read_icce(
    r: R,
    _: CanRead,
    entity: EntityId,
    as_of: AsOf = None,
    days_back: DaysBack = 90,
    dataset: InDataset = None,
) -> Ok[Series]:
    """Return an entity's ICCE by day, up to the last whole day before as_of."""
    return ok(series_of(await r.indexes.index(entity, as_of, days_back, dataset)))


@router.get("/momentum", responses=errors_of(EntityNotFound, DatasetNotFound, TooFewDays))
async def read_momentum(
    r: R,
    _: CanRead,
    entity: EntityId,
    as_of: AsOf = None,
    days_back: DaysBack = 90,
    dataset: InDataset = None,
) -> Ok[Momentum]:
    """Return whether an entity's smoothed ICCE rises or falls; eight days with an index are needed."""
    index = await r.indexes.index(entity, as_of, days_back, dataset)
    return ok(momentum_of(index, momentum_now(index)))


@router.get("/share-of-voice", responses=errors_of(DatasetNotFound, TooFewTweets))
async def read_share_of_voice(
    r: R, _: CanRead, as_of: AsOf = None, days_back: DaysBack = 7, dataset: InDataset = None
) -> Ok[ShareOfVoice]:
    """Return each tracked entity's share of the tweets of all of them, over whole days before as_of."""
    return ok(share_of_voice_of(await r.indexes.share_of_voice(as_of, days_back, dataset)))


@router.get("/weeks", responses=errors_of(DatasetNotFound))
async def read_weeks(r: R, _: CanRead, as_of: AsOf = None, dataset: InDataset = None) -> Ok[Weeks]:
    """Compare the seven whole days before as_of with the seven before, for each tracked entity."""
    return ok(weeks_of(await r.indexes.weeks(as_of, dataset)))


@router.post("/narrative")
async def compute_narrative(body: NarrativeRequest, _: CanRead) -> Ok[Narrative]:
    """Return SVE, SNA, CP, NMI and IVN of posted texts. Nothing is stored; the same texts give the same answer."""
    texts = [ScoredText(one.text, one.positive, one.negative) for one in body.texts]
    return ok(narrative_of(narrative(texts, body.name)))
