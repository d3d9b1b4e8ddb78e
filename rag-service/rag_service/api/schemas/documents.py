"""Wire models of documents."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, WithJsonSchema

from castor_chassis import NO_NULL, Composed, Identifier, Number, Pattern, RequestModel, ResponseModel, Timestamp
from rag_service.api.schemas.fields import NOT_BLANK, Name, Origin, Words

MetadataKey = Annotated[
    str, Pattern(r"^[A-Za-z0-9_.-]{1,64}$", "must be 1 to 64 letters without accents, digits or characters of _ . -")
]
MetadataNumber = Annotated[
    Number, Field(ge=-1e15, le=1e15), WithJsonSchema({"type": "number", "minimum": -1e15, "maximum": 1e15})
]
MetadataValue = Words | MetadataNumber | bool | None


Role = Annotated[str, Pattern(r"^[a-z_-]{1,32}$", "must be 1 to 32 small letters, hyphens or underscores")]


Organisation = Annotated[str, Pattern(r"^[A-Za-z0-9_.-]{1,64}$", "must be 1 to 64 letters, digits, _ . or -")]


class DocumentIn(RequestModel):
    """A document to store; the same id again replaces it."""

    id: Identifier | None = Field(None, description="Without one, the content decides: the same text is stored once.")
    text: Annotated[str, StringConstraints(max_length=8_000), NOT_BLANK, Composed] = Field(
        description="What is searched and quoted; split longer texts into documents of their own."
    )
    source: Name = Field(
        description="What you call the collection, for example 'programa-de-gobierno'. Names that pose as the feed and "
        "letters of other scripts than Latin are refused; by which way a document came is its 'origin'."
    )
    title: Annotated[str, StringConstraints(max_length=500), NO_NULL, Composed] | None = None
    url: Words | None = None
    author: Name | None = None
    entities: list[Name] = Field(default_factory=list, max_length=50, description="Ids of tracked entities.")
    published_at: Timestamp | None = Field(None, description="Without one: as stored before, or now.")
    readers: list[Role] = Field(
        default_factory=list, max_length=10, description="Roles that may read it; empty: the whole organisation."
    )
    metadata: dict[MetadataKey, MetadataValue] = Field(
        default_factory=dict, max_length=32, json_schema_extra={"additionalProperties": False}
    )


class DocumentsIn(RequestModel):
    """Documents to store, all or none."""

    documents: list[DocumentIn] = Field(min_length=1, max_length=500)
    organisation: Organisation | None = Field(
        None, description="Named by services alone, which store analyses for it; everybody else stores for their own."
    )


class DocumentsStored(ResponseModel):
    """Ids in the order of the request, and how many were new, changed, or already there."""

    ids: list[str]
    created: int
    updated: int
    unchanged: int


class DocumentOut(ResponseModel):
    """A stored document."""

    id: str
    text: str
    source: str
    published_at: Timestamp
    title: str | None
    url: str | None
    author: str | None
    entities: list[str]
    metadata: dict[str, Any]
    stored_at: Timestamp
    updated_at: Timestamp
    embedding_model: str | None = Field(description="Null while it waits for an embedding.")
    axes: list[str] = Field(description="Subjects of a tweet, by twitter-service.")
    places: list[str] = Field(description="Places in a tweet, by twitter-service.")
    datasets: list[str] = Field(description="Data sets that a tweet is in.")
    origin: Origin
    stored_by: str | None = Field(description="Who stored it; null for a tweet of the feed.")
    conversation: str | None = Field(None, description="Of a tweet: names the conversation that it is part of.")
    reply_to: str | None = Field(None, description="Of a tweet that answers another: the id of that document.")
    reply_to_author: str | None = Field(None, description="Who wrote the tweet that it answers, where known.")


class ErasureOut(ResponseModel):
    """Who erased a document, and when."""

    id: str
    erased_by: str = Field(description="Kind and id of the caller.")
    erased_at: Timestamp


class SourceErased(ResponseModel):
    """How many documents of a source were erased."""

    source: str
    erased: int


class DocumentErased(ResponseModel):
    """What was erased."""

    id: str
