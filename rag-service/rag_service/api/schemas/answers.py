"""Wire models of answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from castor_chassis import Integer, RequestModel, ResponseModel, Timestamp
from rag_service.api.schemas.fields import FiltersIn, HalfLife, Origin, Question

# A bound of a validated type would reach the schema under pydantic's own name: spelt out, as in search.py.
QueryLimit = Annotated[Integer, Field(ge=1, le=30), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 30})]


class QueryIn(RequestModel):
    """A question to be answered from the documents."""

    question: Question
    limit: QueryLimit = Field(12, description="Documents that the answer may draw on.")
    filters: FiltersIn = Field(default_factory=FiltersIn)
    as_of: Timestamp | None = Field(None, description="What was known then; now when absent.")
    half_life_days: HalfLife | None = None


class CitationOut(ResponseModel):
    """A passage that stands verbatim in a stored document: ``quote == text[start:end]``."""

    id: str
    quote: str = Field(description="As it stands in the document; in 'answer', a run of white space may be one space.")
    start: int = Field(description="Offset into the document's text, in Unicode code points.")
    end: int
    source: str
    author: str | None
    published_at: Timestamp
    title: str | None
    url: str | None
    places: list[str]
    sentiment: str | None = Field(description="Label of a tweet: positive, neutral or negative.")
    origin: Origin
    stored_by: str | None = Field(description="Who stored it; null for a tweet of the feed.")
    same: int = Field(description="How many more documents say the same.")


class SentimentOut(ResponseModel):
    """How many documents have each label; ``unscored`` ones have none."""

    positive: int
    neutral: int
    negative: int
    unscored: int


class PositionOut(ResponseModel):
    """A position on the question: documents that say alike."""

    terms: list[str] = Field(description="Up to two phrases, of up to three words of substance, that set it apart.")
    share: float = Field(description="Of the documents about the question, in [0, 1].")
    documents: int = Field(description="How many take it, repeats included.")
    authors: int
    sentiment: SentimentOut
    since: Timestamp = Field(description="When the first of them was published.")
    until: Timestamp = Field(description="When the last of them was published.")
    citations: list[str] = Field(description="Ids of the documents quoted for it.")


class AnswerOut(ResponseModel):
    """An answer; every quote in it is one of ``citations``."""

    answer: str
    citations: list[CitationOut]
    documents_considered: int
    abstained: bool = Field(description="The documents do not answer; 'answer' says so.")
    positions: list[PositionOut] = Field(description="The positions on the question, largest first.")
    missing: list[str] = Field(description="Words of the question that no document found speaks of.")
    quarantined: int = Field(description="Documents found that read like instructions to a model, and were set aside.")
