"""Settings of sentiment-service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from castor_chassis import ServiceSettings


class SentimentSettings(ServiceSettings):
    """The defaults run the model that ships with the package, without a cache."""

    service_name: ClassVar[str] = "sentiment-service"

    sentiment_model: str = Field("bundled", min_length=1, description="A model folder, or 'bundled'.")
    batch_max_texts: int = Field(
        64, ge=1, le=4096, description="Texts per inference; a single text waits for at most two of these."
    )
    batch_wait_seconds: float = Field(
        0.0,
        ge=0,
        le=0.1,
        description="How long an incomplete batch waits for company; with 0 what arrives during one inference "
        "makes the next batch.",
    )
    queue_max_texts: int = Field(
        5_000,
        ge=1,
        description="Texts that may wait; beyond it requests get 429. A text counts once per 500 characters begun.",
    )
    cache_ttl_seconds: int = Field(
        0, ge=0, description="How long scores stay in Redis; 0: no cache, right for the linear model (see the README)."
    )
