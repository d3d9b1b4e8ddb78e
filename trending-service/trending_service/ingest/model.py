"""Records of the ingest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """How far the feed is stored; ``lag_seconds`` since its end was last reached, None when it never was."""

    tweets: int
    cursor: str
    lag_seconds: float | None
    oldest_tweet_at: datetime | None
    newest_tweet_at: datetime | None
