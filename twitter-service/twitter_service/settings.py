"""Settings of twitter-service."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from castor_chassis import ServiceSettings


class TwitterSettings(ServiceSettings):
    """What twitter-service adds to the settings that all services share."""

    service_name: ClassVar[str] = "twitter-service"

    database_pool_size: int = Field(12, ge=4, le=200, description="Connections; two are held by leases.")
    breaker_reset_seconds: float = Field(
        5, gt=0, description="Short: scores wait in the store meanwhile, and should flow soon after an outage."
    )

    sentiment_url: str = Field("https://sentiment-service:8443", description="Where sentiment-service answers.")
    sentiment_timeout_seconds: float = Field(15, gt=0, description="Per attempt at scoring one batch.")
    score_batch_size: int = Field(400, ge=1, le=1000, description="Tweets per call of sentiment-service.")
    score_batches_in_flight: int = Field(2, ge=1, le=16, description="Calls of sentiment-service at a time.")
    default_lang: Literal["es", "en", "pt", "auto"] = Field(
        "es", description="Language of tweets that do not name one sentiment-service knows."
    )

    import_max_bytes: int = Field(512 * 1024 * 1024, ge=1024, description="Above this, a file is refused with 413.")
    import_timeout_seconds: float = Field(3600, gt=0, description="Deadline of one import.")
    import_max_concurrent: int = Field(2, ge=1, description="Above this, an import is refused with 429.")
    import_batch_rows: int = Field(1000, ge=1, le=10_000, description="Tweets per transaction.")
    max_author_entities: int = Field(25, ge=0, description="Authors that become entities where none is tracked.")
    max_entities: int = Field(500, ge=1, description="Entities that can be tracked.")

    feed_max_waiters: int = Field(64, ge=1, description="Long polls at a time; above this, 429.")
