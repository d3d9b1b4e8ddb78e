"""Settings of sentiment-service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, cast

from pydantic import Field

from castor_chassis import ServiceSettings

_Label = Literal["positive", "neutral", "negative"]
_LABELS = r"^(positive|neutral|negative)(,(positive|neutral|negative))*$"


class SentimentSettings(ServiceSettings):
    """The defaults run the model that ships with the package, with a cache where there is a Redis."""

    service_name: ClassVar[str] = "sentiment-service"

    sentiment_model: str = Field(
        "bundled",
        min_length=1,
        description="'bundled', 'bundled-fast', a model folder, or a Hugging Face id, `owner/name` or "
        "`owner/name@revision`.",
    )
    model_store: Path = Field(Path("models"), description="Folder of the folders of exported models, `owner--name`.")
    model_hub_url: str | None = Field(
        None,
        pattern=r"^https?://\S*[^/\s]$",
        description="Hub to download a named model from, https://huggingface.co or a mirror; unset: no downloads, only "
        "models in the store, in a folder or in the Hugging Face cache (HF_HOME).",
    )
    sentiment_labels: str | None = Field(
        None,
        pattern=_LABELS,
        description="Labels of the outputs of a Hugging Face model in their order, `negative,neutral,positive`, where "
        "its configuration does not name them.",
    )
    sentiment_languages: str = Field(
        "es",
        pattern=r"^[a-z]{2}(,[a-z]{2})*$",
        description="Languages (ISO 639-1, `es,en`) of a Hugging Face model whose folder does not state them.",
    )
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

    @property
    def labels(self) -> tuple[_Label, ...] | None:
        """``sentiment_labels`` as a sequence."""
        return cast(tuple[_Label, ...], tuple(self.sentiment_labels.split(","))) if self.sentiment_labels else None

    @property
    def languages(self) -> tuple[str, ...]:
        """``sentiment_languages`` as a sequence."""
        return tuple(self.sentiment_languages.split(","))
