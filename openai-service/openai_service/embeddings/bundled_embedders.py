"""The encoders that ship with this service, as ``Embedder``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openai_service.embeddings.inference_pool import InferencePool
from openai_service.embeddings.lazy import InThread
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import Role, TransformerEncoder
from openai_service.errors import WrongDimensions
from openai_service.protocol.models import BUNDLED, BUNDLED_FAST
from openai_service.protocol.vectors import Floats

_BATCH = 256


class _BundledEmbedder:
    """What the two have in common: a fixed number of dimensions, and batches of one size."""

    def __init__(self, encoder: StaticEncoder | TransformerEncoder, space: str) -> None:
        self.model = encoder.model
        self.version: str | None = encoder.version
        self.space = space
        self._dimensions = encoder.dimensions

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield ``texts`` in order, in batches of at most ``_BATCH``."""
        return (list(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH))

    def check(self, dimensions: int | None) -> None:
        """Raise ``WrongDimensions`` unless ``dimensions`` is None or the encoder's own number."""
        if dimensions not in (None, self._dimensions):
            raise WrongDimensions(model=self.model, dimensions=self._dimensions, wanted=dimensions)


class StaticEmbedder(_BundledEmbedder):
    """The static encoder."""

    name = BUNDLED_FAST

    def __init__(self, encoder: StaticEncoder, in_thread: InThread) -> None:
        super().__init__(encoder, f"{encoder.model}@{encoder.version}")
        self._encoder = encoder
        self._in_thread = in_thread

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:  # noqa: ARG002
        """Return one row per text, in order, and the number of words, which stand for tokens."""
        return await self._in_thread(self._encoder.encode, list(texts)), sum(len(text.split()) for text in texts)


class TransformerEmbedder(_BundledEmbedder):
    """The transformer, in the role that a request names."""

    name = BUNDLED

    def __init__(self, encoder: TransformerEncoder, pool: InferencePool, role: Role) -> None:
        super().__init__(encoder, f"{encoder.model}@{encoder.version}:{role}")
        self._encoder = encoder
        self._pool = pool
        self._role = role

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:  # noqa: ARG002
        """Return one row per text, in order, and the tokens read; raises ``EncoderBusy``."""
        return await self._pool.encode(self._encoder, texts, self._role)
