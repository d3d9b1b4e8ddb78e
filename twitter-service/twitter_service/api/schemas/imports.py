"""The wire of imports."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp
from twitter_service.imports.model import ImportRecord
from twitter_service.imports.readers.base import Format


class RejectedLine(ResponseModel):
    """A record that was left out."""

    line: Integer = Field(description="Physical line of the file, from 1, on which the record begins.")
    reason: str


class Import(ResponseModel):
    """What became of a file. ``rows`` = ``accepted`` + ``duplicates`` + ``rejected``."""

    id: str
    format: Format
    filename: str | None
    dataset: str | None = Field(None, description="Data set that its tweets are in; null if none was named.")
    state: Literal["running", "done", "failed"]
    error: str | None = Field(description="Why the import failed; null if it did not.")
    rows: Integer
    accepted: Integer
    duplicates: Integer = Field(description="Tweets that were stored already, or earlier in the same file.")
    rejected: Integer
    refreshed: Integer = Field(
        description="Of the duplicates, those that brought an edit, newer metrics, or whom they answer."
    )
    retweets: Integer = Field(description="Of the accepted, retweets that are counted under the tweet they repeat.")
    bytes_read: Integer = Field(description="Of the unpacked file, up to the last line that is stored.")
    bytes_total: Integer | None = Field(description="Of the file as it was sent; null if the sender did not say.")
    resumed: Integer = Field(description="How often the import went on where it had broken off.")
    rejections: list[RejectedLine] = Field(description="The first 1,000.")
    entities_created: list[str]
    authors_left_out: Integer = Field(description="Authors that did not become entities, because only some do.")
    notes: list[str] = Field([], description="What was recognised of the file: packing, characters, columns, dates.")
    first_tweet_at: Timestamp | None = Field(description="Oldest tweet of the file, duplicates included.")
    last_tweet_at: Timestamp | None
    started_at: Timestamp
    finished_at: Timestamp | None

    @classmethod
    def of(cls, record: ImportRecord) -> Self:
        """Return an import as it goes over the wire."""
        return cls.model_validate(record, from_attributes=True)
