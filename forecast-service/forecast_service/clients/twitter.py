"""Client of twitter-service: daily counts, also by axis; names and colours of entities."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel

from castor_chassis import Peer, PeerError, PeerRejected, normal_time
from castor_chassis.client.operation import Operation
from castor_chassis.client.peer import Reply
from forecast_service.errors import CountsChangeOver, DatasetNotFound, EntityNotFound

DAILY_COUNTS = "/v1/twitter/counts/daily"
AXIS_COUNTS = "/v1/twitter/counts/axes"
ENTITY = "/v1/twitter/entities/{entity_id}"
READINGS = 3
"""How often counts are read from the beginning where twitter-service changes over to another sentiment model."""


class DailyCount(BaseModel):
    """One day of one entity, in America/Bogota.

    ``targeted`` of ``scored`` are counted by what they say about the entity; ``model`` is whose answers are counted.
    """

    date: date
    entity: str
    tweets: int
    scored: int
    positive: int
    negative: int
    total_tweets: int
    targeted: int = 0
    model: str | None = None


class AxisCount(BaseModel):
    """Tweets on one axis; ``mentions`` are all axes that these tweets name, two for a tweet on two."""

    axis: str
    tweets: int
    mentions: int


class DailyAxes(BaseModel):
    """One day of one entity by axis, in America/Bogota; ``with_axis`` of its ``tweets`` name an axis."""

    date: date
    tweets: int
    with_axis: int
    gap: bool
    axes: list[AxisCount]


Day = TypeVar("Day", DailyCount, DailyAxes)


class Days(BaseModel, Generic[Day]):
    """One page of days, oldest first."""

    items: list[Day]


class Entity(BaseModel):
    """What a picture shows of an entity: its name and, if it has one, its colour as #RRGGBB."""

    name: str
    colour: str | None = None


_SENT = ("dataset", "entity", "since", "until", "as_of", "cursor")
OPERATIONS = (
    Operation("GET", DAILY_COUNTS, _SENT, Days[DailyCount]),
    Operation("GET", AXIS_COUNTS, _SENT, Days[DailyAxes]),
    Operation("GET", ENTITY, (), Entity),
)


class TwitterClient:
    """Reads counts. It has no fallback: an index without its counts would be invented."""

    def __init__(self, peer: Peer, *, timeout_seconds: float) -> None:
        self._peer = peer
        self._timeout = timeout_seconds

    async def daily_counts(
        self, entity: str | None, since: date, until: date, as_of: datetime, dataset: str | None
    ) -> list[DailyCount]:
        """Return every day from ``since`` to ``until`` inclusive, oldest first; None stands for all.

        All of them are counted with one version of the sentiment model. Raises ``EntityNotFound``,
        ``DatasetNotFound``, ``CountsChangeOver``, or the chassis's ``PeerError``.
        """
        asked = _asked(entity, since, until, as_of, dataset)
        for _ in range(READINGS):
            days = await self._all_pages(DAILY_COUNTS, Days[DailyCount], asked)
            if len({day.model for day in days}) <= 1:
                return days
        raise CountsChangeOver(retry_after_seconds=1)

    async def axis_counts(
        self, entity: str, since: date, until: date, as_of: datetime, dataset: str | None
    ) -> list[DailyAxes]:
        """Return an entity's days from ``since`` to ``until`` inclusive by axis, oldest first.

        Raises ``EntityNotFound``, ``DatasetNotFound``, or the chassis's ``PeerError``.
        """
        return await self._all_pages(AXIS_COUNTS, Days[DailyAxes], _asked(entity, since, until, as_of, dataset))

    async def _all_pages(self, path: str, page: type[Days[Day]], asked: dict[str, str | None]) -> list[Day]:
        days: list[Day] = []
        cursor: str | None = None
        while True:
            reply = await self._reply(path, {**asked, "cursor": cursor})
            days += page.model_validate(reply.data).items
            cursor = reply.meta.get("next_cursor")
            if cursor is None:
                return days

    async def name_and_colour(self, entity: str) -> tuple[str, str | None]:
        """Return an entity's name and colour; its id and None where twitter-service does not know or answer."""
        try:
            reply = await self._peer.get(ENTITY.format(entity_id=entity), timeout_seconds=self._timeout)
        except PeerError:
            return entity, None
        found = Entity.model_validate(reply.data)
        return found.name, found.colour

    async def _reply(self, path: str, asked: dict[str, str | None]) -> Reply:
        try:
            return await self._peer.get(path, params=asked, timeout_seconds=self._timeout)
        except PeerRejected as error:
            if error.peer_code == DatasetNotFound.code:
                raise DatasetNotFound(dataset=asked["dataset"]) from error
            if error.peer_code == EntityNotFound.code:
                raise EntityNotFound(entity=asked["entity"]) from error
            raise


def _asked(entity: str | None, since: date, until: date, as_of: datetime, dataset: str | None) -> dict[str, str | None]:
    span = {"since": since.isoformat(), "until": until.isoformat(), "as_of": normal_time(as_of)}
    return {"dataset": dataset, "entity": entity, **span}
