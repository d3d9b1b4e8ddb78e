"""The wire: source of the contract."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, WithJsonSchema

from castor_chassis import Identifier, Integer, Number, RequestModel, ResponseModel, Timestamp

# PostgreSQL stores no null character. A pattern says so in the contract as well; a validator would not.
NO_NULL = r"^[^\x00]*$"
# Spelt out, because engines differ in what \s is.
_BLANK = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
NOT_BLANK = rf"^[^\x00]*[^{_BLANK}][^\x00]*$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_NULL)]
MetadataKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
MetadataNumber = Annotated[
    Number, Field(ge=-1e15, le=1e15), WithJsonSchema({"type": "number", "minimum": -1e15, "maximum": 1e15})
]
Words = Annotated[str, StringConstraints(max_length=2_000, pattern=NO_NULL)]
MetadataValue = Words | MetadataNumber | bool | None
Question = Annotated[str, StringConstraints(max_length=1_000, pattern=NOT_BLANK)]
# Pydantic puts bounds of a validated type into the schema under names of its own; JSON Schema has others.
SearchLimit = Annotated[Integer, Field(ge=1, le=50), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 50})]
QueryLimit = Annotated[Integer, Field(ge=1, le=30), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 30})]


class DocumentIn(RequestModel):
    """A document to store; the same id again replaces it."""

    id: Identifier | None = Field(None, description="Without one, the content decides: the same text is stored once.")
    text: Annotated[str, StringConstraints(max_length=8_000, pattern=NOT_BLANK)] = Field(
        description="What is searched and quoted; split longer texts into documents of their own."
    )
    source: Name = Field(description="Where it comes from, for example 'programa-de-gobierno'.")
    title: Annotated[str, StringConstraints(max_length=500, pattern=NO_NULL)] | None = None
    url: Words | None = None
    author: Name | None = None
    entities: list[Name] = Field(default_factory=list, max_length=50, description="Ids of tracked entities.")
    published_at: Timestamp | None = Field(None, description="Without one: as stored before, or now.")
    metadata: dict[MetadataKey, MetadataValue] = Field(
        default_factory=dict, max_length=32, json_schema_extra={"additionalProperties": False}
    )


class DocumentsIn(RequestModel):
    """Documents to store, all or none."""

    documents: list[DocumentIn] = Field(min_length=1, max_length=500)


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


class DocumentErased(ResponseModel):
    """What was erased."""

    id: str


class FiltersIn(RequestModel):
    """All that are given must hold."""

    source: Name | None = None
    author: Name | None = Field(None, description="Upper and lower case and a leading @ make no difference.")
    entity: Name | None = None
    since: Timestamp | None = Field(None, description="Published then or later.")
    until: Timestamp | None = Field(None, description="Published before.")


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


class QueryIn(RequestModel):
    """A question to be answered from the documents."""

    question: Question
    limit: QueryLimit = Field(12, description="Documents that the answer may draw on.")
    filters: FiltersIn = Field(default_factory=FiltersIn)
    as_of: Timestamp | None = Field(None, description="What was known then; now when absent.")


class CitationOut(ResponseModel):
    """A passage that stands verbatim in a stored document: ``quote == text[start:end]``."""

    id: str
    quote: str
    start: int = Field(description="Offset into the document's text, in Unicode code points.")
    end: int
    source: str
    author: str | None
    published_at: Timestamp


class AnswerOut(ResponseModel):
    """An answer; every quote in it is one of ``citations``."""

    answer: str
    citations: list[CitationOut]
    documents_considered: int
    abstained: bool = Field(description="The documents do not answer; 'answer' says so.")


class StatusOut(ResponseModel):
    """Where the index stands: ``documents`` = ``embedded`` + ``pending`` + ``refused``."""

    documents: int
    embedded: int
    pending: int
    refused: int = Field(description="Texts that the encoder refused; they are found by their words.")
    cursor: str = Field(description="Where the tweet feed is followed from.")
    model: str | None = Field(description="Whose embeddings are searched; null before the first.")
