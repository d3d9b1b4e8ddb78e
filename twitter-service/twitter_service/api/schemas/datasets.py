"""The wire of data sets."""

from __future__ import annotations

from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp


class Dataset(ResponseModel):
    """A named group of tweets. A tweet of several files is in the data set of each."""

    name: str
    created_at: Timestamp
    imports: Integer = Field(description="Imports that named it.")
    tweets: Integer
    first_tweet_at: Timestamp | None
    last_tweet_at: Timestamp | None
