"""What computes vectors: the interface that the bundled encoders and the upstreams share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from openai_service.protocol.vectors import Floats


class Embedder(Protocol):
    """One embedding model, for one request."""

    name: str
    """The provider that the ledger names."""
    model: str
    """The model that computes the vectors; vectors of two models do not compare."""
    version: str | None
    """Changes when the model's vectors do; None where only the model's name tells."""
    space: str
    """Equal for two embedders whose vectors of one text are equal; part of the cache key."""

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield ``texts`` in order, in batches that ``embed`` accepts."""

    def check(self, dimensions: int | None) -> None:
        """Raise ``WrongDimensions`` when the model is known not to make vectors of ``dimensions`` dimensions."""

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:
        """Return one row per text, in order, and the tokens used."""
