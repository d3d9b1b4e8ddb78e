"""Wire models of files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from castor_chassis import ResponseModel, Timestamp


class FileOut(ResponseModel):
    """A file and how far it is read."""

    id: str
    name: str
    media_type: str
    source: str
    title: str | None
    author: str | None
    published_at: Timestamp | None
    readers: list[str]
    state: Literal["waiting", "reading", "done", "failed"]
    passages: int = Field(description="How many it holds; 0 until it is parsed.")
    stored: int = Field(description="How many are documents; their ids are the file's with a number.")
    error: str | None = Field(description="Why it could not be read.")
    stored_by: str
    stored_at: Timestamp
    updated_at: Timestamp


class FileErased(ResponseModel):
    """What was erased."""

    id: str
    passages: int
