"""Settings of sentiment-service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from castor_chassis import ServiceSettings


class SentimentSettings(ServiceSettings):
    """The defaults run the model that ships with the package, with a cache where there is a Redis."""

    service_name: ClassVar[str] = "sentiment-service"

    sentiment_model: str = Field(
        "bundled",
        min_length=1,
        description="'bundled', 'bundled-fast', a model folder, or an exported Hugging Face id.",
    )
    model_store: Path = Field(Path("models"), description="Folder of the folders of exported models, `owner--name`.")
    inference_threads: int = Field(
        0, ge=0, le=256, description="Inferences at a time, one processor each; 0: as many as this process may use."
    )
    batch_max_tokens: int = Field(
        256,
        ge=1,
        le=65_536,
        description="Tokens per inference, padding included; what fits a processor's cache is fastest.",
    )
    queue_max_seconds: float = Field(
        0.15,
        gt=0,
        description="A request that would wait longer than this for its turn gets 429, so that those taken stay quick.",
    )
    queue_max_texts: int = Field(
        5_000, ge=1, description="Texts that may wait; beyond it requests get 429, to bound memory."
    )
    cache_ttl_seconds: int = Field(
        86_400,
        ge=0,
        description="How long scores stay in Redis, where there is one; 0: no cache, right for bundled-fast (README).",
    )
