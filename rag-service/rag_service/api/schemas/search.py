"""Wire models of the search."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from castor_chassis import Identifier, Integer, RequestModel, ResponseModel, Timestamp
from rag_service.api.schemas.documents import DocumentOut
from rag_service.api.schemas.fields import HalfLife, Question, SearchFiltersIn

# Pydantic puts bounds of a validated type into the schema under names of its own; JSON Schema has others.
SearchLimit = Annotated[Integer, Field(ge=1, le=50), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 50})]


class SearchIn(RequestModel):
    """A search."""

    query: Question
    limit: SearchLimit = 10
    filters: SearchFiltersIn = Field(default_factory=SearchFiltersIn)
    as_of: Timestamp | None = Field(None, description="What was known then; now when absent.")
    half_life_days: HalfLife | None = None
    fold_conversations: bool = Field(
        False, description="Of each conversation of tweets only the best hit; its 'more' counts the others."
    )


class JudgedQuestion(RequestModel):
    """A question, and the ids of the documents that were judged relevant."""

    question: Question
    relevant: list[Identifier] = Field(min_length=1, max_length=200)
    filters: SearchFiltersIn = Field(default_factory=SearchFiltersIn)
    as_of: Timestamp | None = Field(None, description="What was known then; now when absent.")


class EvaluationIn(RequestModel):
    """A set of questions to measure the search by."""

    questions: list[JudgedQuestion] = Field(min_length=1, max_length=50)
    depth: SearchLimit = Field(10, description="So many hits of each question count.")


class Measures(ResponseModel):
    """How good rankings are, each in [0, 1]."""

    ndcg: float = Field(description="Normalised discounted cumulative gain; all relevant documents count alike.")
    recall: float
    reciprocal_rank: float


class MeasuredQuestion(Measures):
    """The measures of one question, and what was found."""

    question: str
    ids: list[str]


class EvaluationOut(Measures):
    """The means over all questions, and each question."""

    questions: list[MeasuredQuestion]


class SearchHit(ResponseModel):
    """A document that was found."""

    document: DocumentOut
    score: float = Field(description="Reciprocal rank fusion of the two ranks; only its order means anything.")
    lexical_rank: int | None = Field(description="Place in the search by words, from 1.")
    dense_rank: int | None = Field(description="Place in the search by meaning, from 1.")
    similarity: float | None = Field(description="Cosine of question and document, in [-1, 1].")
    more: int = Field(
        0, description="With 'fold_conversations': how many more documents of its conversation match the filters."
    )
