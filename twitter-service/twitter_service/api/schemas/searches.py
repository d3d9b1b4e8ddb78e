"""The wire of searches and timelines of X."""

from __future__ import annotations

from typing import Annotated, Literal, Self, cast

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from castor_chassis import (
    SINCE,
    UNTIL,
    ComposedText,
    Identifier,
    Integer,
    Number,
    Order,
    Pattern,
    RequestModel,
    ResponseModel,
    Since,
    Timestamp,
    Until,
)
from twitter_service.api.schemas.fields import EntityId
from twitter_service.api.schemas.usage import BudgetStanding
from twitter_service.billing.budget import MICRO, Purpose
from twitter_service.searches.model import JobRecord, Kind, SavedQuery, SearchSpec, State, search_of
from twitter_service.searches.planner import MAX_HANDLE, Preview

Term = Annotated[ComposedText, StringConstraints(min_length=1, max_length=200)]
XHandle = Annotated[
    str,
    Pattern(
        rf"^@?[A-Za-z0-9_]{{1,{MAX_HANDLE}}}$",
        f"must be a handle of 1 to {MAX_HANDLE} letters without accents, digits or underscores",
    ),
    AfterValidator(lambda handle: handle.lstrip("@")),
]
XHashtag = Annotated[ComposedText, StringConstraints(min_length=1, max_length=100)]
Language = Annotated[str, Pattern(r"^[a-z]{2,3}$", "must be the code of a language in small letters, such as es")]


class Query(RequestModel):
    """What to look for on X; the parts hold together, the alternatives stand for one another."""

    any_of: list[Term] = Field(default=[], max_length=200, description="Words or phrases; one of them is enough.")
    all_of: list[Term] = Field(default=[], max_length=20, description="Words or phrases that must all occur.")
    none_of: list[Term] = Field(default=[], max_length=20, description="Words or phrases that must not occur.")
    hashtags: list[XHashtag] = Field(default=[], max_length=50, description="Alternatives beside any_of.")
    mentions: list[XHandle] = Field(default=[], max_length=50, description="Accounts; alternatives beside any_of.")
    authors: list[XHandle] = Field(default=[], max_length=50, description="One of them must have written it.")
    entity: EntityId | None = Field(default=None, description="Its aliases, hashtags and accounts join any_of.")
    location: Term | None = Field(default=None, description="A place that the text must name.")
    lang: Language | None = "es"
    with_retweets: bool = False

    def saved(self) -> SavedQuery:
        """Return the query as it is stored."""
        return cast(SavedQuery, self.model_dump(mode="json", include=set(Query.model_fields)))


class SearchRequest(Query):
    """What to read from X, from when, and at most how much."""

    days_back: Integer | None = Field(
        default=None, ge=1, le=10_000, description="Instead of since.", json_schema_extra={"deprecated": True}
    )
    since: Since | None = Field(default=None, description=SINCE)
    until: Until | None = Field(default=None, description=UNTIL)
    archive: bool = Field(default=False, description="Search all posts ever, where the plan of X allows it.")
    max_tweets: Integer = Field(default=500, ge=10, le=1_000_000, description="Never more are read or paid.")
    purpose: Purpose = "analysis"

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if self.since is not None and self.days_back is not None:
            raise ValueError("give since or days_back, not both")
        return self

    def spec(self) -> SearchSpec:
        """Return what the planner takes."""
        search = search_of(self.saved())
        return SearchSpec(search, self.entity, self.archive, self.days_back, self.since, self.until, self.max_tweets)


class TimelineRequest(RequestModel):
    """How much of what an account wrote to read."""

    since: Since | None = Field(default=None, description=SINCE)
    until: Until | None = Field(default=None, description=UNTIL)
    max_tweets: Integer = Field(default=200, ge=10, le=3200, description="X shows the latest 3,200.")
    purpose: Purpose = "analysis"


class SearchPreview(ResponseModel):
    """What a search would find and cost. Asking costs no money."""

    queries: list[str] = Field(description="What X would be asked.")
    since: Timestamp | None = Field(description="Null: as far back as X reaches (7 days).")
    until: Timestamp | None
    tweets_found: Integer = Field(description="A tweet that several queries match counts once for each.")
    tweets_to_read: Integer = Field(description="Not more than max_tweets.")
    requests: Integer
    usd: Number = Field(description="At most: what X has billed today already is free.")
    fits_budget: bool
    budgets: list[BudgetStanding]

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """Return a preview as it goes over the wire."""
        return cls(
            queries=preview.plan.queries,
            since=preview.plan.span.start,
            until=preview.plan.span.end,
            tweets_found=preview.found,
            tweets_to_read=preview.to_read,
            requests=preview.requests,
            usd=preview.price.micro_usd / MICRO,
            fits_budget=preview.fits,
            budgets=[BudgetStanding.of(budget) for budget in preview.budgets],
        )


class XSearch(ResponseModel):
    """A reading of X: what was asked, how far it is, what it brought and cost."""

    id: str
    kind: Kind
    collection: str | None
    state: State = Field(description="queued and running go on by themselves; paused waits for budget or its next run.")
    outcome: Literal["tweets", "no_tweets"] | None = Field(description="Null until it is done.")
    error_code: str | None = Field(description="Why it waits or failed: budget_spent, x_unavailable, ...")
    error: str | None
    queries: list[str]
    since: Timestamp | None
    until: Timestamp | None
    purpose: Purpose
    max_tweets: Integer
    tweets_read: Integer
    tweets_billed: Integer
    tweets_stored: Integer = Field(description="Those that were not stored before.")
    tweets_rejected: Integer
    pages: Integer
    usd: Number
    complete: bool = Field(description="False while it runs, and when max_tweets ended it.")
    next_attempt_at: Timestamp | None
    created_at: Timestamp
    finished_at: Timestamp | None

    @classmethod
    def of(cls, job: JobRecord) -> Self:
        """Return a job as it goes over the wire."""
        is_done, waits = job.state == "done", job.state == "queued" and job.attempts > 0
        renamed = {
            "collection": job.collection_id and job.collection_id.rpartition("/")[2],
            "outcome": ("tweets" if job.posts_read else "no_tweets") if is_done else None,
            "since": job.starts_at,
            "until": job.ends_at,
            "max_tweets": job.max_posts,
            "tweets_read": job.posts_read,
            "tweets_billed": job.posts_billed,
            "tweets_stored": job.stored,
            "tweets_rejected": job.rejected,
            "usd": job.micro_usd / MICRO,
            "next_attempt_at": job.not_before if waits else None,
        }
        return cls.model_validate({**vars(job), **renamed})


NEWEST_SEARCH = Order(tuple[Timestamp, Identifier], lambda job: (job.created_at, job.id), newest_first=True)
