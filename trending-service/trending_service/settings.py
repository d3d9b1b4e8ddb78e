"""Settings of trending-service."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, field_validator

from castor_chassis import FeedSettings, HttpAddress


class TrendingSettings(FeedSettings):
    """Settings beside those of every service."""

    service_name: ClassVar[str] = "trending-service"

    twitter_url: HttpAddress = Field("https://twitter-service:8443", description="Where the feed of tweets is.")

    rag_url: HttpAddress | None = Field(
        None, description="Where analyses of trends are stored as documents; without it none are."
    )
    analysis_organisations: str = Field(
        "default",
        pattern=r"^(?:[A-Za-z0-9_.-]{1,64}(?: [A-Za-z0-9_.-]{1,64})*)?$",
        description="Organisations that get analyses, separated by a space; empty: none.",
    )

    baseline_days: int = Field(
        28,
        ge=1,
        le=365,
        description="Days before the window that the expected counts come from; best a multiple of 7.",
    )
    false_discovery_rate: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Accepted share of false topics among those found (Benjamini-Hochberg).",
    )
    max_candidates: int = Field(
        5000, ge=100, le=50_000, description="Number of most frequent terms tested for one answer."
    )
    max_window_tweets: int = Field(
        100_000,
        ge=1000,
        le=10_000_000,
        description="Tweets that one answer may read, about 3 KB of memory each; of more the newest.",
    )
    roll_up_seconds: float = Field(
        5, gt=0, le=3600, description="How often is looked for hours whose counts are to be made anew."
    )
    cache_seconds: int = Field(
        60, ge=1, le=3600, description="How long an answer is cached; it is computed anew once a tweet was stored."
    )
    track_seconds: float = Field(
        60, gt=0, le=3600, description="How often trends are followed and watches looked at; one replica does it."
    )
    event_retention_days: int = Field(
        400, ge=1, le=36_500, description="Trends, and events of trends and watches, older than this are deleted."
    )
    stream_seconds: float = Field(
        3600, gt=0, le=86_400, description="Longest life of a stream of events; its client connects again."
    )
    webhook_key: SecretStr | None = Field(
        None, min_length=32, description="The secrets of webhooks are derived from it; without it there are none."
    )
    webhook_timeout_seconds: float = Field(10, gt=0, le=30, description="What a receiver of a webhook may take.")
    webhook_allow_private: bool = Field(
        False, description="Webhooks may go to private addresses, and by http: for development and tests only."
    )
    local_timezone: str = Field("America/Bogota", description="IANA time zone of days and of the times in 'why'.")

    @field_validator("local_timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no IANA time zone; use a name such as America/Bogota")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The local time zone."""
        return ZoneInfo(self.local_timezone)
