"""Settings of twitter-service."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from castor_chassis import ServiceSettings


class TwitterSettings(ServiceSettings):
    """What twitter-service adds to the settings that all services share."""

    service_name: ClassVar[str] = "twitter-service"

    database_pool_size: int = Field(14, ge=6, le=200, description="Connections; four are held by leases.")
    breaker_reset_seconds: float = Field(
        5, gt=0, description="Short: scores wait in the store meanwhile, and should flow soon after an outage."
    )

    sentiment_url: str = Field("https://sentiment-service:8443", description="Where sentiment-service answers.")
    sentiment_timeout_seconds: float = Field(15, gt=0, description="Per attempt at scoring one batch.")
    score_batch_size: int = Field(100, ge=1, le=1000, description="Tweets per call of sentiment-service.")
    score_batches_in_flight: int = Field(2, ge=1, le=16, description="Calls of sentiment-service at a time.")
    target_batch_size: int = Field(
        100, ge=1, le=200, description="Pairs of a tweet and an entity per call of sentiment-service."
    )
    default_lang: Literal["es", "en", "pt", "auto"] = Field(
        "es", description="Language of tweets that do not name one sentiment-service knows."
    )

    import_max_bytes: int = Field(512 * 1024 * 1024, ge=1024, description="Above this, a file is refused with 413.")
    import_timeout_seconds: float = Field(3600, gt=0, description="Deadline of one import.")
    import_max_concurrent: int = Field(2, ge=1, description="Above this, an import is refused with 429.")
    import_max_unpacked_bytes: int = Field(
        8 * 1024**3, ge=1024, description="What a gzip file may unpack to: a few bytes can pack a disk full of zeros."
    )
    import_piece_bytes: int = Field(
        1024 * 1024, ge=65_536, le=16 * 1024**2, description="Of a file, read and stored in one transaction."
    )
    import_parses_apart: bool = Field(
        True, description="Long JSON files are parsed in a process of their own where there is more than one processor."
    )
    search_max_lag_seconds: float = Field(
        60,
        ge=0,
        description="For so long the words of new tweets, and the assessment of their authors, wait while imports run.",
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Older tweets are erased, here and in every consumer; 0: kept for ever.",
    )
    tombstone_days: int = Field(
        90, ge=1, description="For so long the feed still tells that they were erased; a consumer may be away for less."
    )
    retention_sweep_seconds: float = Field(3600, gt=0, description="How often is looked for tweets that are too old.")
    author_poll_seconds: float = Field(2, gt=0, description="How often is looked for authors to assess.")
    max_author_entities: int = Field(25, ge=0, description="Authors that become entities where none is tracked.")
    max_entities: int = Field(500, ge=1, description="Entities that can be tracked.")

    feed_max_waiters: int = Field(64, ge=1, description="Long polls at a time; above this, 429.")

    x_bearer_token: SecretStr | None = Field(None, description="Key of X API v2; without it nothing is read from X.")
    x_base_url: str = Field("https://api.x.com", description="Where X answers; a sandbox in development.")
    x_timeout_seconds: float = Field(15, gt=0, description="Per request to X.")
    x_max_in_flight: int = Field(16, ge=1, le=200, description="Requests at a time per endpoint, over all replicas.")
    x_attempts: int = Field(5, ge=1, le=20, description="Attempts per page at failures that may pass.")
    x_searches_at_a_time: int = Field(32, ge=1, le=2000, description="Readings of X that a replica works on.")
    x_search_attempts: int = Field(20, ge=1, description="Postponements in a row after which a reading fails.")
    x_lease_seconds: float = Field(60, gt=0, description="After this a dead replica's readings and promises are free.")
    x_reset_margin_seconds: float = Field(1, ge=0, description="How much X's clock may be behind ours.")
    x_gap_settle_seconds: float = Field(
        20, ge=10, description="Between a gap of the stream and its search: X indexes late and refuses the last 10 s."
    )
    x_full_archive: bool = Field(False, description="The plan of X includes full-archive search.")
    x_daily_posts: int | None = Field(500, ge=0, description="Posts that X may bill in a UTC day.")
    x_monthly_posts: int | None = Field(15_000, ge=0, description="Posts that X may bill in a UTC month.")
    x_daily_usd: float | None = Field(None, ge=0, description="Dollars in a UTC day; unset: no limit of its own.")
    x_monthly_usd: float | None = Field(75, ge=0, description="Dollars in a UTC month.")
    x_trending_share: float = Field(0.5, ge=0, le=1, description="Most of a budget that the purpose trending may use.")
    x_analysis_share: float = Field(0.8, ge=0, le=1, description="Most of a budget that the purpose analysis may use.")
    x_tenant_share: float = Field(1, ge=0, le=1, description="Most of a purpose's share that one caller may use.")
    x_price_post_usd: float = Field(0.005, ge=0, description="Price table: one post read.")
    x_price_user_usd: float = Field(0.010, ge=0, description="Price table: one user read.")
