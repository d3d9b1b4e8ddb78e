"""Settings of rag-service."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from castor_chassis import FeedSettings, HttpAddress


class RagSettings(FeedSettings):
    """Settings beside those of every service."""

    service_name: ClassVar[str] = "rag-service"

    openai_url: HttpAddress = Field("https://openai-service:8443", description="Where openai-service answers.")
    twitter_url: HttpAddress = Field("https://twitter-service:8443", description="Where twitter-service answers.")

    embedding_model: str = Field(
        "default", description="Model asked for; the model that answers is stored with each vector."
    )
    embedding_dimensions: int = Field(
        384, ge=8, le=4000, description="Length of every vector; answers with another length are refused."
    )
    embedding_batch: int = Field(128, ge=1, le=512, description="Documents per request for embeddings.")
    embedding_concurrency: int = Field(
        2, ge=1, le=8, description="Requests for embeddings in flight of the background work."
    )
    embedding_batch_timeout_seconds: float = Field(
        20, gt=0, description="Time limit of one request of the background work."
    )
    embedding_yield_seconds: float = Field(
        0,
        ge=0,
        description="How long embeddings wait at a stretch while the feed brings changes, so that "
        "sentiment-service has the processors that it shares with the encoder; 0: not at all, right on others.",
    )
    query_embedding_timeout_seconds: float = Field(
        2, gt=0, description="Time limit; a search without a vector goes by words alone (degraded: embeddings)."
    )
    exact_scan_rows: int = Field(
        10_000,
        ge=1,
        description="Up to this many candidates are compared one by one: about 1 ms per 1,000, and none is missed. "
        "A partition with more vectors gets an approximate index, which makes its inserts slower.",
    )
    index_check_seconds: float = Field(
        30, gt=0, description="Seconds between two checks of the vector indexes and between two updates of the gauges."
    )

    file_reading_seconds: float = Field(
        60, gt=0, le=600, description="How long a file may take to be read into passages; above this it is refused."
    )
    file_reading_memory_mb: int = Field(
        256,
        ge=128,
        description="Of the process that reads files; with the service's own, below the container's.",
    )

    chat_model: str = Field("default", description="Model asked for answers.")
    answer_timeout_seconds: float = Field(
        20,
        gt=0,
        description="Time limit; without an answer of the model the documents' positions are told (degraded: llm).",
    )
    answer_max_tokens: int = Field(
        700, ge=50, le=4000, description="Greatest length of an answer of the model, in tokens."
    )

    @model_validator(mode="after")
    def _a_query_fits_its_deadline(self) -> Self:
        spent = self.query_embedding_timeout_seconds + self.answer_timeout_seconds
        if spent >= self.request_timeout_seconds:
            raise ValueError(
                f"query_embedding_timeout_seconds + answer_timeout_seconds = {spent:g} leaves nothing of "
                f"request_timeout_seconds={self.request_timeout_seconds:g} for the answer without a model"
            )
        return self
