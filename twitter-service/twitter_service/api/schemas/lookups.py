"""The wire of look-ups of tweets by id."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from castor_chassis import Integer, Number, RequestModel, ResponseModel
from twitter_service.api.schemas.fields import TweetId
from twitter_service.billing.budget import MICRO, Purpose
from twitter_service.searches.service import LookUp


class LookUpRequest(RequestModel):
    """Which tweets to read by id."""

    ids: list[TweetId] = Field(min_length=1, max_length=100)
    purpose: Purpose = "analysis"


class LookUpResult(ResponseModel):
    """What became of the ids."""

    found: list[str] = Field(description="Stored; read them with GET /v1/twitter/tweets/{id}.")
    missing: list[str] = Field(description="X does not show them: deleted, protected, or never there.")
    tweets_stored: Integer = Field(description="Of the found ones, those that were not stored before.")
    tweets_billed: Integer = Field(description="Of the found ones, those that X had not billed today already.")
    usd: Number

    @classmethod
    def of(cls, result: LookUp) -> Self:
        """Return a look-up as it goes over the wire."""
        return cls(
            found=result.found,
            missing=result.missing,
            tweets_stored=result.stored,
            tweets_billed=result.billed,
            usd=result.micro_usd / MICRO,
        )
