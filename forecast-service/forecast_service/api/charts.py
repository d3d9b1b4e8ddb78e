"""Routes of pictures for slides, each with its words as a text alternative."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from castor_chassis import Unavailable, errors_of
from forecast_service.api.forecasts import Asked, SeveralEntities
from forecast_service.api.polls import AsOf as PollsAsOf
from forecast_service.api.polls import Level as BandLevel
from forecast_service.api.posted_polls import POLL_ERRORS, POLLS_BODY, PostedPolls
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.backtests import BacktestId
from forecast_service.api.schemas.fields import EntityId
from forecast_service.charts.model import Kind, Language, Picture
from forecast_service.charts.service import Look
from forecast_service.errors import (
    BacktestFailed,
    BacktestNotFound,
    DatasetNotFound,
    DataTooOld,
    EntityNotFound,
    NothingTested,
    NothingToDraw,
    StepTooFar,
    TooFewDays,
    TooFewPolls,
)

router = APIRouter(prefix="/v1/forecast", tags=["charts"])
KindPath = Annotated[Kind, Path(description="svg, which scales, or png of 1600 by 900 pixels.")]
Lang = Annotated[Language, Query(description="Of the words in the picture and of its text alternative.")]
_TYPES: dict[Kind, str] = {"svg": "image/svg+xml", "png": "image/png"}
_WORDS_HEADER = "Chart-Description"
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture. An SVG has its text alternative in `title` and `desc`, a PNG in its metadata.",
        "content": {one: {"schema": {"type": "string", "format": "binary"}} for one in _TYPES.values()},
        "headers": {
            _WORDS_HEADER: {
                "description": "The text alternative, UTF-8 in percent encoding: what the picture shows, in words.",
                "schema": {"type": "string"},
            }
        },
    }
}
# A picture that is opened by itself runs nothing, whatever is written in it.
_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


@router.get(
    "/entities/{entity}/chart.{kind}",
    response_class=Response,
    responses={**errors_of(EntityNotFound, DatasetNotFound, TooFewDays, DataTooOld, Unavailable), **_PICTURE},
)
async def draw_forecast(
    entity: EntityId,
    kind: KindPath,
    r: R,
    _: CanRead,
    asked: Asked,
    language: Lang = "es",
) -> Response:
    """Draw an entity's ICCE with its forecast, interval, skill and the age of its data."""
    look = Look(kind, language)
    return _answer(await r.charts.forecast(entity, asked.as_of, asked.options, asked.dataset, look))


@router.get(
    "/compare/chart.{kind}",
    response_class=Response,
    responses={**errors_of(EntityNotFound, DatasetNotFound, NothingToDraw, Unavailable), **_PICTURE},
)
async def draw_comparison(
    kind: KindPath,
    r: R,
    _: CanRead,
    entity: SeveralEntities,
    asked: Asked,
    language: Lang = "es",
) -> Response:
    """Draw forecasts of several entities in one picture; those without a forecast are named in it."""
    entities, look = list(dict.fromkeys(entity)), Look(kind, language)
    return _answer(await r.charts.comparison(entities, asked.as_of, asked.options, asked.dataset, look))


@router.post(
    "/polls/chart.{kind}",
    response_class=Response,
    responses={**errors_of(*POLL_ERRORS, TooFewPolls, Unavailable), **_PICTURE},
    openapi_extra=POLLS_BODY,
)
async def draw_polls(
    kind: KindPath,
    polls: PostedPolls,
    r: R,
    _: CanRead,
    as_of: PollsAsOf = None,
    level: BandLevel = 0.95,
    language: Lang = "es",
) -> Response:
    """Draw posted polls as dots, and their average with its band as lines. Nothing is stored."""
    return _answer(await r.charts.polls(await r.polls.average(polls, as_of, level), Look(kind, language)))


@router.get(
    "/backtests/{backtest_id}/chart.{kind}",
    response_class=Response,
    responses={**errors_of(BacktestNotFound, NothingTested, BacktestFailed, StepTooFar, Unavailable), **_PICTURE},
)
async def draw_backtest(
    backtest_id: BacktestId,
    kind: KindPath,
    r: R,
    _: CanRead,
    step: Annotated[int, Query(ge=1, le=30, description="Days ahead.")] = 1,
    language: Lang = "es",
) -> Response:
    """Draw what the first method of a back-test said so many days before, and what came."""
    job = await r.backtests.get(backtest_id)
    return _answer(await r.charts.backtest(job, await r.backtests.report(job), step, Look(kind, language)))


def _answer(picture: Picture) -> Response:
    words = quote(picture.description, safe=" ,.;:()-+/")
    return Response(picture.content, media_type=_TYPES[picture.kind], headers={_WORDS_HEADER: words, **_POLICY})
