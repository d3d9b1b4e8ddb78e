"""The wire of collections."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from castor_chassis import ComposedText, Integer, RequestModel, ResponseModel, Timestamp
from twitter_service.api.schemas.fields import EntityId
from twitter_service.api.schemas.searches import Query
from twitter_service.billing.budget import Purpose
from twitter_service.collections import model
from twitter_service.collections.model import Collection, Mode
from twitter_service.tweets.model import time_of_snowflake


class NewCollection(RequestModel):
    """A search that is to be kept up."""

    id: EntityId
    name: Annotated[ComposedText, StringConstraints(min_length=1, max_length=100)]
    query: Query
    mode: Mode = Field(default="search", description="search: on a schedule; stream: as it is written.")
    every_seconds: Integer = Field(default=900, ge=10, le=86_400, description="Between the beginnings of runs.")
    max_tweets: Integer = Field(
        default=1000, ge=10, le=100_000, description="Most that one run may read; what is left goes on with the next."
    )
    purpose: Purpose = "trending"

    def collection(self) -> model.NewCollection:
        """Return the collection to be stored."""
        return model.NewCollection(
            self.id, self.name, self.mode, self.query.saved(), self.purpose, self.every_seconds, self.max_tweets
        )


class CollectionChange(RequestModel):
    """Whether it goes on."""

    enabled: bool


class CollectionState(ResponseModel):
    """A collection and how far it is."""

    id: str
    name: str
    query: Query
    mode: Mode
    every_seconds: Integer
    max_tweets: Integer
    purpose: Purpose
    enabled: bool
    read_through: Timestamp | None = Field(description="Up to then all is read, or waits in the filling of a gap.")
    next_run_at: Timestamp
    streaming: bool = Field(description="True while the stream carries it.")
    connects: Integer = Field(description="How often the stream began to carry it; each filled what lay before.")
    error_code: str | None = Field(description="Why it waits: budget_spent, ...")
    error: str | None
    missed_since: Timestamp | None = Field(
        None,
        description="Posts from then to `missed_until` were older than X's recent search reaches when they were to be "
        "read, so some may be missing; null: none.",
    )
    missed_until: Timestamp | None = None
    created_at: Timestamp

    @classmethod
    def of(cls, collection: Collection) -> Self:
        """Return a collection as it goes over the wire."""
        values = {
            **vars(collection),
            "max_tweets": collection.max_posts,
            "read_through": None if collection.since_id is None else time_of_snowflake(collection.since_id),
        }
        return cls.model_validate(values)
