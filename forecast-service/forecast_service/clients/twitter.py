"""Client of twitter-service: daily counts."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from castor_chassis import Peer, PeerError, PeerRejected, normal_time
from castor_chassis.client.operation import Operation
from forecast_service.errors import CountsChangeOver, DatasetNotFound, EntityNotFound

DAILY_COUNTS = "/v1/twitter/counts/daily"
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


class DailyCounts(BaseModel):
    """One page of days, oldest first."""

    items: list[DailyCount]


class Entity(BaseModel):
    """What a picture shows of an entity: its name and, if it has one, its colour as #RRGGBB."""

    name: str
    colour: str | None = None


OPERATIONS = (
    Operation("GET", DAILY_COUNTS, ("dataset", "entity", "since", "until", "as_of", "cursor"), DailyCounts),
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
        span = {"since": since.isoformat(), "until": until.isoformat(), "as_of": normal_time(as_of)}
        asked = {"dataset": dataset, "entity": entity, **span}
        for _ in range(READINGS):
            days = await self._all_pages(asked)
            if len({day.model for day in days}) <= 1:
                return days
        raise CountsChangeOver(retry_after_seconds=1)

    async def _all_pages(self, asked: dict[str, str | None]) -> list[DailyCount]:
        days: list[DailyCount] = []
        cursor: str | None = None
        while True:
            page, cursor = await self._page({**asked, "cursor": cursor})
            days += page.items
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

    async def _page(self, asked: dict[str, str | None]) -> tuple[DailyCounts, str | None]:
        try:
            reply = await self._peer.get(DAILY_COUNTS, params=asked, timeout_seconds=self._timeout)
        except PeerRejected as error:
            if error.peer_code == DatasetNotFound.code:
                raise DatasetNotFound(dataset=asked["dataset"]) from error
            if error.peer_status == 404:
                raise EntityNotFound(entity=asked["entity"]) from error
            raise
        return DailyCounts.model_validate(reply.data), reply.meta.get("next_cursor")
