"""Settings of openai-service."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from castor_chassis import ServiceSettings

_PRICES = {
    "gpt-4o-mini": (0.15, 0.60),
    "gpt-4o": (2.50, 10.00),
    "text-embedding-3-small": (0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.0),
}


class OpenAISettings(ServiceSettings):
    """Without a key and a base URL there is no upstream: answers are extractive, embeddings bundled."""

    service_name: ClassVar[str] = "openai-service"

    openai_api_key: SecretStr | None = Field(None, description="Key of the upstream; never logged, never answered.")
    openai_base_url: str | None = Field(
        None,
        description="Root of any OpenAI-compatible API, for example http://ollama:11434/v1; "
        "by default OpenAI's own when a key is set.",
    )
    openai_model: str = Field("gpt-4o-mini", description="Chat model when a request names none or 'default'.")
    openai_embedding_model: str = Field(
        "text-embedding-3-small", description="Embedding model when the upstream makes the embeddings."
    )
    openai_timeout_seconds: float = Field(
        60, gt=0, description="Per attempt; in a stream, up to the first chunk and between two chunks."
    )
    openai_attempts: int = Field(
        2, ge=1, le=5, description="Attempts per call; only what the upstream did not process is repeated."
    )
    chat_timeout_seconds: float = Field(
        120, gt=0, description="Deadline of a chat request, streams included; language models are slow."
    )
    embedding_provider: Literal["auto", "bundled", "upstream"] = Field(
        "auto", description="Who makes the default embeddings; auto: the upstream when there is one."
    )
    embedding_cache_seconds: int = Field(
        2_592_000, ge=1, description="How long an embedding is remembered; it changes only with the model."
    )
    allow_degraded: bool = Field(
        True, description="Answer by quoting when no language model answers; else such requests get 503."
    )
    price_table: dict[str, tuple[float, float]] = Field(
        _PRICES,
        description="USD per million prompt and completion tokens by model name or its prefix, as JSON.",
    )
    ledger_queue_rows: int = Field(
        10_000,
        ge=1,
        description="Ledger rows held while PostgreSQL is away; beyond it rows are dropped and counted.",
    )

    @property
    def has_upstream(self) -> bool:
        """True when a language model is configured; a local server needs a base URL and no key."""
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def embeds_upstream(self) -> bool:
        """True when the default embeddings are the upstream's."""
        return self.has_upstream and self.embedding_provider != "bundled"

    @model_validator(mode="after")
    def _upstream_is_consistent(self) -> Self:
        if self.openai_timeout_seconds >= self.chat_timeout_seconds:
            raise ValueError(
                f"openai_timeout_seconds={self.openai_timeout_seconds:g} must be below "
                f"chat_timeout_seconds={self.chat_timeout_seconds:g}, or no time is left to answer without the upstream"
            )
        if self.embedding_provider == "upstream" and not self.has_upstream:
            raise ValueError("embedding_provider=upstream needs an upstream: set OPENAI_API_KEY or OPENAI_BASE_URL")
        return self
