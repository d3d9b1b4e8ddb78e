"""Embeddings in OpenAI's shape."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from castor_chassis import Composed, Pattern, RequestModel, ResponseModel, Text
from openai_service.protocol.models import DEFAULT, NUMBER, ModelName

MAX_EMBEDDING_CHARACTERS = 32_000


def _bounded(text: str) -> str:
    # Not in the contract: 2048 texts of this length would be refused for their size before their number.
    if len(text) > MAX_EMBEDDING_CHARACTERS:
        raise ValueError(f"must have at most {MAX_EMBEDDING_CHARACTERS} characters; embed it in parts")
    return text


EmbeddingText = Annotated[
    str,
    StringConstraints(min_length=1),
    Pattern(
        r"^[^\x00]*[^\x00-\x20\x7f-\xa0][^\x00]*$", "must have a character that can be seen, and no null character"
    ),
    AfterValidator(_bounded),
    Composed,
]


TokenId = Annotated[int, Field(ge=0, le=2**31), NUMBER]
TokenText = Annotated[list[TokenId], Field(min_length=1, max_length=8192)]
"""A text as the numbers of its tokens; which text that is, only a model with the same tokeniser knows."""


class EmbeddingRequest(RequestModel):
    """An embeddings request."""

    model: ModelName = Field(DEFAULT, description="'default', 'bundled', 'bundled-fast', or a model of the upstream.")
    input: (
        EmbeddingText
        | Annotated[list[EmbeddingText], Field(min_length=1, max_length=2048)]
        | TokenText
        | Annotated[list[TokenText], Field(min_length=1, max_length=2048)]
    ) = Field(
        description="One text or several, each as text or, for a model of the upstream, as numbers of "
        "tokens; where REDACT is on, those are 422 text_needed, because nothing in them can be redacted."
    )
    dimensions: Annotated[int, Field(ge=1, le=8192), NUMBER] | None = None
    encoding_format: Literal["float", "base64"] = "float"
    input_type: Literal["query", "passage"] | None = Field(
        None,
        description="How 'bundled' reads the texts: 'passage' for what is stored and found, 'query' (also when left "
        "out) for what is asked, and for both sides where texts are compared as equals. Other models do not read it.",
    )
    user: Annotated[Text, Field(max_length=256)] | None = None

    def texts(self) -> list[str]:
        """Return the texts that are given as text."""
        given = self.input if isinstance(self.input, list) else [self.input]
        return [text for text in given if isinstance(text, str)]

    def token_texts(self) -> list[list[int]]:
        """Return the texts that are given as numbers of tokens."""
        given = self.input if isinstance(self.input, list) else []
        whole = [number for number in given if isinstance(number, int)]
        return [whole] if whole else [text for text in given if isinstance(text, list)]


class Embedding(ResponseModel):
    """One vector of unit length: numbers, or little-endian float32 in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(ResponseModel):
    """Tokens of an embeddings call; cached texts cost none."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(ResponseModel):
    """Vectors in the order of the input."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str = Field(description="The model that made the vectors; vectors of two models do not compare.")
    version: str | None = Field(
        None,
        description="Of the bundled models: another version gives the same text another vector, so embed again when "
        "it changes. An upstream says the like by the model's name alone.",
    )
    usage: EmbeddingUsage
    degraded: list[str] | None = Field(
        None, description="['embeddings'] when another model than the one named answered."
    )
