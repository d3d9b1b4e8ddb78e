"""Daily counts, from twitter-service."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from castor_chassis import Peer, PeerRejected, normal_time
from castor_chassis.client.operation import Operation
from forecast_service.errors import EntityNotFound
from forecast_service.indexes.icce import DayCount


class Count(BaseModel):
    """One day of one entity."""

    date: date
    tweets: int
    scored: int
    positive: int
    negative: int
    total_tweets: int


class Counts(BaseModel):
    """One page of days."""

    items: list[Count]


OPERATIONS = (Operation("GET", "/v1/twitter/counts/daily", ("entity", "since", "until", "as_of", "cursor"), Counts),)


class TwitterClient:
    """Reads counts; has no fallback: an index without its counts would be invented."""

    def __init__(self, peer: Peer, *, timeout_seconds: float) -> None:
        self._peer = peer
        self._timeout = timeout_seconds

    async def daily_counts(self, entity: str, since: date, until: date, as_of: datetime) -> list[DayCount]:
        """Return every day from ``since`` to ``until`` inclusive, oldest first.

        Raises ``EntityNotFound``, or the chassis's ``PeerError``.
        """
        asked = {"entity": entity, "since": since.isoformat(), "until": until.isoformat(), "as_of": normal_time(as_of)}
        days: list[DayCount] = []
        cursor: str | None = None
        while True:
            page, cursor = await self._page({**asked, "cursor": cursor}, entity)
            days += [
                DayCount(day.date, day.tweets, day.scored, day.positive, day.negative, day.total_tweets)
                for day in page.items
            ]
            if cursor is None:
                return days

    async def _page(self, asked: dict[str, str | None], entity: str) -> tuple[Counts, str | None]:
        try:
            reply = await self._peer.get(OPERATIONS[0].path, params=asked, timeout_seconds=self._timeout)
        except PeerRejected as error:
            if error.peer_status == 404:
                raise EntityNotFound(entity=entity) from error
            raise
        return Counts.model_validate(reply.data), reply.meta.get("next_cursor")
