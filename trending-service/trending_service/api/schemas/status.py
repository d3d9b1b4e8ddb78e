"""Wire model of the status."""

from __future__ import annotations

from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp


class Status(ResponseModel):
    """How far this service has followed the feed of tweets."""

    tweets: Integer
    cursor: str = Field(description="Position in the feed of twitter-service.")
    lag_seconds: float | None = Field(description="Since the end of the feed was last reached; null: never yet.")
    oldest_tweet_at: Timestamp | None
    newest_tweet_at: Timestamp | None
