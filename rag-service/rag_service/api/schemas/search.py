"""Wire models of the search."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from castor_chassis import Integer, RequestModel, ResponseModel, Timestamp
from rag_service.api.schemas.documents import DocumentOut
from rag_service.api.schemas.fields import FiltersIn, Question

# Pydantic puts bounds of a validated type into the schema under names of its own; JSON Schema has others.
SearchLimit = Annotated[Integer, Field(ge=1, le=50), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 50})]


class SearchIn(RequestModel):
    """A search."""

    query: Question
    limit: SearchLimit = 10
    filters: FiltersIn = Field(default_factory=FiltersIn)
    as_of: Timestamp | None = Field(None, description="What was known then; now when absent.")


class SearchHit(ResponseModel):
    """A document that was found."""

    document: DocumentOut
    score: float = Field(description="Reciprocal rank fusion of the two ranks; only its order means anything.")
    lexical_rank: int | None = Field(description="Place in the search by words, from 1.")
    dense_rank: int | None = Field(description="Place in the search by meaning, from 1.")
    similarity: float | None = Field(description="Cosine of question and document, in [-1, 1].")
