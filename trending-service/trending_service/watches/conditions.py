"""Whether what a watch asks for has happened. No I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from trending_service.coordination.report import GroupReport
from trending_service.signals.model import Tally
from trending_service.text.terms import term_key
from trending_service.tracking.model import StoredEvent
from trending_service.watches.model import Happening, Watch

LEAST_SCORED = 20
"""Scored tweets that each side of a comparison of sentiment needs."""
LEAST_TWEETS = 10
"""Tweets of the last hour that a doubled volume needs."""
LEAST_Z = 3.0
"""Standard errors by which the negative share must have risen, beside the watch's threshold."""
ONCE = timedelta(hours=6)
"""A volume or a sentiment that stays so is told once in this time."""


def started(watch: Watch, events: Iterable[StoredEvent]) -> list[Happening]:
    """Return the starts of trends that a watch waits for: all of its scope, or those with its topic."""
    wanted = _plain(watch.topic) if watch.topic else None
    found = []
    for event in events:
        name, topic = event.body["name"], event.body["topic"]
        terms = {_plain(term) for term in (*topic["terms"], name)}
        is_wanted = wanted is None or any(wanted == term or wanted in term.split() for term in terms)
        if event.kind == "start" and event.body["scope"] == watch.scope and is_wanted:
            key = f"start:{term_key(name) or name}:{event.body['started_at']}"
            found.append(Happening(key, "trend.started", {"topic": topic}))
    return found


def doubled(watch: Watch, now: datetime, last_hour: Tally, usual: float | None) -> list[Happening]:
    """Return the event of a volume of at least ``threshold`` times the usual tweets an hour; none without a usual."""
    if usual is None:
        return []
    ratio = last_hour.tweets / max(usual, 0.5)
    if last_hour.tweets < LEAST_TWEETS or ratio < watch.threshold:
        return []
    body = {"tweets_last_hour": last_hour.tweets, "usual_an_hour": round(usual, 2), "ratio": round(ratio, 2)}
    return [_once("volume", "volume.rose", body, now)]


def fell(watch: Watch, now: datetime, recent: Tally, before: Tally) -> list[Happening]:
    """Return the event of a negative share that rose by at least ``threshold``, and by more than chance."""
    if min(recent.scored, before.scored) < LEAST_SCORED:
        return []
    now_share, then_share = recent.negative / recent.scored, before.negative / before.scored
    pooled = (recent.negative + before.negative) / (recent.scored + before.scored)
    error = math.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / recent.scored + 1 / before.scored))
    if now_share - then_share < max(watch.threshold, LEAST_Z * error):
        return []
    body = {
        "negative_share_3h": round(now_share, 4), "negative_share_24h_before": round(then_share, 4),
        "scored_3h": recent.scored, "scored_24h_before": before.scored,
    }  # fmt: skip
    return [_once("sentiment", "sentiment.fell", body, now)]


def suspected(watch: Watch, groups: Iterable[GroupReport], zone: ZoneInfo) -> list[Happening]:
    """Return an event for each suspected group with at least ``threshold`` members, once a day per what it shares.

    Days are those of ``zone``. It names no account: who they are is answered, and erased, with the tweets.
    """
    return [
        Happening(
            f"coordination:{group.key}:{group.first_at.astimezone(zone):%Y-%m-%d}",
            "coordination.suspected",
            {"why": group.why, "members": len(group.members), "shared": group.shared[0].what},
        )
        for group in groups
        if len(group.members) >= watch.threshold
    ]


def _plain(term: str) -> str:
    # 'paro' is wanted where '#Paro' is written.
    return (term_key(term) or term).lstrip("#@")


def _once(name: str, kind: str, body: dict[str, Any], now: datetime) -> Happening:
    return Happening(f"{name}:{int(now.timestamp() * 1000)}", kind, body, once_in=ONCE)
