"""What is told of a trend, in Spanish: figures and the words of the topic, no text and no id of a tweet. No I/O."""

from __future__ import annotations

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

from castor_chassis import normal_time
from castor_chassis.text.dates import spanish_day
from trending_service.analyses.model import Analysis, Figures
from trending_service.tracking.model import Trend
from trending_service.tracking.service import WINDOW_HOURS

LEAST_ACCOUNTS = 3
"""Of fewer accounts nothing is told: a topic of one or two could tell who they are."""
_PLACES = {"Bogota": "Bogotá"}


def document_id(trend: Trend) -> str:
    """Return the id of a trend's analysis: always the same for one trend, also when its row is another one."""
    began = trend.started_at.strftime("%Y%m%dT%H%M%S")
    return f"trend:{began}:{hashlib.sha256(trend.key.encode()).hexdigest()[:16]}"


def analysis_of(trend: Trend, figures: Figures, zone: ZoneInfo) -> Analysis | None:
    """Return what is told of a trend whose tweets have ``figures``; None below ``LEAST_ACCOUNTS``.

    It is published at the moment at which the trend was last seen. Its ``url`` finds the topic's tweets as they are
    stored then, so that none that was erased is among them.
    """
    if figures.accounts < LEAST_ACCOUNTS:
        return None
    sentences = (_span(trend, zone), _size(figures), _busiest(figures, zone), _tone(figures), _pushed(trend))
    return Analysis(
        id=document_id(trend),
        title=f"Tendencia: {trend.name}",
        text=" ".join(filter(None, sentences)),
        url=f"/v1/trending/topics/{name}" if (name := trend.topic.get("id")) else None,
        published_at=trend.last_seen_at,
        metadata={
            "kind": "trend",
            "started_at": normal_time(trend.started_at),
            "last_seen_at": normal_time(trend.last_seen_at),
            "ended": trend.ended_at is not None,
            "tweets": figures.tweets,
            "accounts": figures.accounts,
        },
    )


def _span(trend: Trend, zone: ZoneInfo) -> str:
    place = zone.key.rpartition("/")[2].replace("_", " ")
    until = _moment(trend.last_seen_at, zone, trend.started_at)
    span = f"desde el {_moment(trend.started_at, zone)} hasta {until} (hora de {_PLACES.get(place, place)})"
    goes_on = "" if trend.ended_at is not None else " Entonces todavía lo era."
    return f"«{trend.name}» fue tendencia {span}.{goes_on}"


def _size(figures: Figures) -> str:
    tweets, accounts = _number(figures.tweets), _number(figures.accounts)
    return f"En ese tiempo lo nombraron {tweets} tuits de {accounts} cuentas."


def _busiest(figures: Figures, zone: ZoneInfo) -> str:
    if figures.busiest_at is None:
        return ""
    began, tweets = _moment(figures.busiest_at, zone), _number(figures.busiest_tweets)
    return f"La hora con más tuits, {tweets}, comenzó el {began}."


def _tone(figures: Figures) -> str:
    if not figures.scored:
        return ""
    shares = ((figures.positive, "positivos"), (figures.neutral, "neutrales"), (figures.negative, "negativos"))
    told = ", ".join(f"{_number(count)} {name}" for count, name in shares)
    return f"De los {_number(figures.scored)} con tono estimado por un clasificador automático: {told}."


def _pushed(trend: Trend) -> str:
    pushed = trend.topic.get("coordination") or {}
    if not pushed.get("accounts"):
        return ""
    accounts, tweets = _number(pushed["accounts"]), _number(pushed["tweets"])
    return (
        f"En las últimas {WINDOW_HOURS} horas, {accounts} cuentas con indicios de coordinación escribieron {tweets} de "
        "sus tuits."
    )


def _moment(moment: datetime, zone: ZoneInfo, same_day_as: datetime | None = None) -> str:
    local = moment.astimezone(zone)
    clock = f"las {local:%H:%M}"
    if same_day_as is not None and same_day_as.astimezone(zone).date() == local.date():
        return clock
    day = f"{spanish_day(local)} a {clock}"
    return day if same_day_as is None else f"el {day}"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", ".")
