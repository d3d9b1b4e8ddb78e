"""Settings of twitter-service."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from castor_chassis import HeaderSecret, HttpAddress, ServiceSettings

Organisation = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,38}[a-z0-9])$")]
Share = Annotated[float, Field(ge=0, le=1)]


class TwitterSettings(ServiceSettings):
    """What twitter-service adds to the settings that all services share."""

    service_name: ClassVar[str] = "twitter-service"

    database_pool_size: int = Field(
        14, ge=8, le=200, description="Connections; five leases hold one each, seven with a key of X."
    )
    breaker_reset_seconds: float = Field(
        5, gt=0, description="Short, because unscored tweets wait meanwhile and should be scored soon after an outage."
    )

    sentiment_url: HttpAddress = Field("https://sentiment-service:8443", description="Where sentiment-service answers.")
    sentiment_timeout_seconds: float = Field(15, gt=0, description="Per attempt at scoring one batch.")
    score_batch_size: int = Field(100, ge=1, le=1000, description="Tweets per call of sentiment-service.")
    score_batches_in_flight: int = Field(2, ge=1, le=16, description="Calls of sentiment-service at a time.")
    target_batch_size: int = Field(
        100, ge=1, le=200, description="Pairs of a tweet and an entity per call of sentiment-service."
    )
    rejudge_settle_seconds: float = Field(
        300,
        ge=0,
        description="How long every replica of sentiment-service must have named the same version of its model before "
        "stored tweets are judged again under it; longer than a rollout.",
    )
    default_lang: Literal["es", "en", "pt", "auto"] = Field(
        "es", description="Language of tweets without a language that sentiment-service knows."
    )

    import_max_bytes: int = Field(512 * 1024 * 1024, ge=1024, description="Above this, a file is refused with 413.")
    import_timeout_seconds: float = Field(3600, gt=0, description="Deadline of one import.")
    export_timeout_seconds: float = Field(3600, gt=0, description="Deadline of one export; then it is broken off.")
    import_max_concurrent: int = Field(2, ge=1, description="Above this, an import is refused with 429.")
    import_max_unpacked_bytes: int = Field(
        8 * 1024**3, ge=1024, description="Most bytes that a gzip file may unpack to."
    )
    import_piece_bytes: int = Field(
        1024 * 1024,
        ge=65_536,
        le=16 * 1024**2,
        description="Bytes of a file that are stored in one transaction.",
    )
    import_parses_apart: bool = Field(
        True, description="Long JSON files are parsed in a process of their own where there is more than one processor."
    )
    search_max_lag_seconds: float = Field(
        60,
        ge=0,
        description="Full-text indexing and the assessment of authors wait at most so long while imports run.",
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Older tweets are erased, here and in every consumer; 0: no limit.",
    )
    tombstone_days: int = Field(
        90, ge=1, description="How long the feed reports an erased tweet; a consumer must not be away for longer."
    )
    job_days: int = Field(
        365,
        ge=8,
        le=36_500,
        description="Searches of X and imports are deleted so long after their end; their tweets stay.",
    )
    retention_sweep_seconds: float = Field(3600, gt=0, description="Interval of the search for tweets to erase.")
    author_poll_seconds: float = Field(2, gt=0, description="Interval of the search for authors to assess.")
    max_author_entities: int = Field(25, ge=0, description="Authors that become entities where none is tracked.")
    max_entities: int = Field(500, ge=1, description="Entities that can be tracked.")

    feed_max_waiters: int = Field(64, ge=1, description="Long polls at a time; above this, 429.")

    x_bearer_token: HeaderSecret | None = Field(None, description="Key of X API v2; without it nothing is read from X.")
    x_base_url: HttpAddress = Field("https://api.x.com", description="Base URL of X; a sandbox in development.")
    x_timeout_seconds: float = Field(15, gt=0, description="Per request to X.")
    x_max_in_flight: int = Field(16, ge=1, le=200, description="Requests at a time per endpoint, over all replicas.")
    x_attempts: int = Field(5, ge=1, le=20, description="Attempts per page at temporary failures.")
    x_searches_at_a_time: int = Field(32, ge=1, le=2000, description="Search jobs that a replica runs at a time.")
    x_search_attempts: int = Field(20, ge=1, description="Postponements in a row after which a search job fails.")
    x_lease_seconds: float = Field(
        60,
        gt=0,
        description="When a dead replica's search jobs and reservations lapse.",
    )
    x_reset_margin_seconds: float = Field(1, ge=0, description="How much the clock of X may be behind ours.")
    x_gap_settle_seconds: float = Field(
        20, ge=10, description="Wait before a gap of the stream is searched: X indexes late and refuses the last 10 s."
    )
    x_full_archive: bool = Field(False, description="True where the plan of X includes full-archive search.")
    x_daily_posts: int | None = Field(500, ge=0, description="Posts that X may bill in a UTC day.")
    x_monthly_posts: int | None = Field(15_000, ge=0, description="Posts that X may bill in a UTC month.")
    x_daily_usd: float | None = Field(None, ge=0, description="Dollars in a UTC day; unset: no daily limit.")
    x_monthly_usd: float | None = Field(75, ge=0, description="Dollars in a UTC month.")
    x_trending_share: float = Field(0.5, ge=0, le=1, description="Share of a budget that the purpose trending may use.")
    x_analysis_share: float = Field(0.8, ge=0, le=1, description="Share of a budget that the purpose analysis may use.")
    x_tenant_share: float = Field(1, ge=0, le=1, description="Share of a purpose's budget that one caller may use.")
    x_organisation_shares: dict[Organisation, Share] = Field(
        {"default": 1, "*": 0.5},
        description="Share of a purpose's budget that an organisation may use, as JSON by its id; *: every other.",
    )
    x_price_post_usd: float = Field(0.005, ge=0, description="Price table: one post read.")
    x_price_user_usd: float = Field(0.010, ge=0, description="Price table: one user read.")
