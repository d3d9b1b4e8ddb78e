"""The wire of authors."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp
from twitter_service.tweets.records import AuthorRecord


class ReasonOut(ResponseModel):
    """One signal of an author's credibility."""

    signal: str
    weight: float = Field(description="What it adds to 0.5, or takes.")
    text: str


class AuthorOut(ResponseModel):
    """What is known of an author. Nothing is dropped for a low score; lists can be filtered by it."""

    username: str
    created_at: Timestamp | None
    followers: Integer | None
    following: Integer | None
    tweets: Integer | None = Field(description="Over the account's life, as X counts them.")
    verified: bool | None
    location: str | None
    credibility: float | None = Field(description="In [0.1, 1]; null until it is assessed.")
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, author: AuthorRecord) -> Self:
        """Return an author as it goes over the wire."""
        return cls.model_validate({**vars(author), "credibility": author.score})
