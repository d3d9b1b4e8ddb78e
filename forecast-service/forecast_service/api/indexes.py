"""Routes of the indexes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import Invalid, Ok, SinceDay, Timestamp, Unavailable, UntilDay, check_span, errors_of, ok
from forecast_service.api.change_mapper import changes_answer
from forecast_service.api.mappers import (
    momentum_of,
    narrative_of,
    series_of,
    share_of_voice_of,
    topic_focus_of,
    weeks_of,
)
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.fields import DATASET, DatasetName, EntityId
from forecast_service.api.schemas.indexes import (
    Changes,
    Momentum,
    Narrative,
    NarrativeRequest,
    Series,
    ShareOfVoice,
    TopicFocus,
    Weeks,
)
from forecast_service.errors import DatasetNotFound, EntityNotFound, NoTopicNamed, TooFewDays, TooFewTweets
from forecast_service.indexes.calendar import last_day, moment_of
from forecast_service.indexes.change_service import Trending
from forecast_service.indexes.momentum import momentum_now
from forecast_service.indexes.narrative import ScoredText, narrative

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])
AsOf = Annotated[Timestamp | None, Query(description="As if nothing later had happened; default: now.")]
InDataset = Annotated[DatasetName | None, Query(description=DATASET)]
MOST_DAYS = 730
TRENDS_READ = "trends:read"


@dataclass(frozen=True, slots=True)
class Days:
    """Days that are asked for: so many up to ``until``, or up to the last whole day before ``as_of``."""

    as_of: datetime | None
    until: date | None
    count: int


def _days(usual: int) -> Callable[..., Awaitable[Days]]:
    """Return a dependency that reads days from a query; ``usual`` is how many without since."""

    async def asked(
        since: SinceDay = None,
        until: UntilDay = None,
        as_of: AsOf = None,
        days_back: Annotated[
            int, Query(ge=1, le=MOST_DAYS, description="Days without since; give since instead.", deprecated=True)
        ] = usual,
    ) -> Days:
        check_span(since, until)
        if since is None:
            return Days(as_of, until, days_back)
        count = (last_day(moment_of(as_of), until) - since).days + 1
        if not 1 <= count <= MOST_DAYS:
            reason = f"query.since gives {count} days up to the last whole day; 1 to {MOST_DAYS} are possible"
            raise Invalid(field="query.since", reason=reason)
        return Days(as_of, until, count)

    return asked


NinetyDays = Annotated[Days, Depends(_days(90))]
HalfYear = Annotated[Days, Depends(_days(180))]
ThirtyDays = Annotated[Days, Depends(_days(30))]
SevenDays = Annotated[Days, Depends(_days(7))]


@router.get("/icce", responses=errors_of(EntityNotFound, DatasetNotFound))
async def read_icce(
    r: R,
    _: CanRead,
    entity: EntityId,
    days: NinetyDays,
    dataset: InDataset = None,
) -> Ok[Series]:
    """Return an entity's ICCE by day, up to until or the last whole day before as_of."""
    return ok(series_of(await r.indexes.index(entity, days.as_of, days.count, dataset, days.until)))


@router.get("/momentum", responses=errors_of(EntityNotFound, DatasetNotFound, TooFewDays))
async def read_momentum(
    r: R,
    _: CanRead,
    entity: EntityId,
    days: NinetyDays,
    dataset: InDataset = None,
) -> Ok[Momentum]:
    """Return whether an entity's smoothed ICCE rises or falls; eight days with an index are needed."""
    index = await r.indexes.index(entity, days.as_of, days.count, dataset, days.until)
    return ok(momentum_of(index, momentum_now(index)))


@router.get("/changes", responses=errors_of(EntityNotFound, DatasetNotFound, TooFewDays, Unavailable))
async def list_changes(
    r: R,
    caller: CanRead,
    entity: EntityId,
    days: HalfYear,
    dataset: InDataset = None,
) -> Ok[Changes]:
    """Return the days on which an entity's ICCE moved to another level and stayed; 28 days with an index are needed.

    Callers with the scope trends:read learn what was trending on these days.
    """
    index = await r.indexes.index(entity, days.as_of, days.count, dataset, days.until)
    changes = await r.changes.find(index)
    may_know = TRENDS_READ in caller.scopes
    trending = await r.changes.trending(index, changes) if may_know else Trending({})
    return ok(changes_answer(index, changes, trending), degraded=None if trending.is_complete else ["trending"])


@router.get("/share-of-voice", responses=errors_of(DatasetNotFound, TooFewTweets))
async def read_share_of_voice(r: R, _: CanRead, days: SevenDays, dataset: InDataset = None) -> Ok[ShareOfVoice]:
    """Return each tracked entity's share of the tweets of all of them, over whole days."""
    return ok(share_of_voice_of(await r.indexes.share_of_voice(days.as_of, days.count, dataset, days.until)))


@router.get("/topic-focus", responses=errors_of(EntityNotFound, DatasetNotFound, NoTopicNamed))
async def read_topic_focus(
    r: R,
    _: CanRead,
    entity: EntityId,
    days: ThirtyDays,
    dataset: InDataset = None,
) -> Ok[TopicFocus]:
    """Return which topics an entity's tweets are about, over whole days: the share of each axis that they name."""
    return ok(topic_focus_of(await r.indexes.topic_focus(entity, days.as_of, days.count, dataset, days.until)))


@router.get("/weeks", responses=errors_of(DatasetNotFound))
async def read_weeks(
    r: R, _: CanRead, until: UntilDay = None, as_of: AsOf = None, dataset: InDataset = None
) -> Ok[Weeks]:
    """Compare the seven days up to until with the seven before, for each tracked entity.

    By default the last whole day before as_of ends the week, which always has seven days: there is no since.
    """
    return ok(weeks_of(await r.indexes.weeks(as_of, dataset, until)))


@router.post("/narrative")
async def compute_narrative(body: NarrativeRequest, r: R, _: CanRead) -> Ok[Narrative]:
    """Return SVE, SNA, CP, NMI and IVN of posted texts. Nothing is stored; the same texts give the same answer."""
    texts = [ScoredText(one.text, one.positive, one.negative) for one in body.texts]
    return ok(narrative_of(await r.in_thread(narrative, texts, body.name)))
