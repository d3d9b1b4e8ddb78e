"""The bundled encoders: which there are, what requests may call them, and when they load."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import partial
from typing import TypeVar

import structlog

from castor_chassis import Chassis
from openai_service.embeddings import static_encoder, transformer
from openai_service.embeddings.bundled_embedders import StaticEmbedder, TransformerEmbedder
from openai_service.embeddings.embedder import Embedder
from openai_service.embeddings.inference_pool import InferencePool
from openai_service.embeddings.lazy import Lazy
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import Role, TransformerEncoder
from openai_service.errors import EncoderNotLoaded
from openai_service.protocol.models import BUNDLED, BUNDLED_FAST

log = structlog.get_logger("castor.openai.encoders")
T = TypeVar("T")
BUNDLED_NAMES = frozenset({BUNDLED, transformer.MODEL, BUNDLED_FAST, static_encoder.MODEL})
"""What requests may call a bundled encoder."""
_RANKING_DELAY_SECONDS = 1.0


class EncoderRegistry:
    """The static encoder and the transformer. Each costs memory, so it is loaded when it is first needed.

    Those named in ``at_start`` are needed by every request that names no model: they load at once, and the service is
    ready when they have loaded.
    """

    def __init__(self, chassis: Chassis, *, at_start: Collection[str], queue_texts: int) -> None:
        self._in_thread = chassis.in_thread
        self._loop = asyncio.get_running_loop()
        self._pool = InferencePool(chassis.in_thread, workers=chassis.settings.worker_threads, queue_texts=queue_texts)
        self._static = Lazy(StaticEncoder.load, chassis.in_thread)
        self._transformer = Lazy(TransformerEncoder.load, chassis.in_thread)
        self._ranking_requested = False
        if BUNDLED_FAST in at_start:
            self._static.begin(partial(chassis.load, "encoder"))
        if BUNDLED in at_start:
            self._transformer.begin(partial(chassis.load, "transformer"))

    def ranking_encoder(self) -> StaticEncoder | None:
        """Return the encoder that ranks quotes if it is loaded; else load it soon. May be called in any thread."""
        encoder = self._static.value
        if encoder is None and not self._ranking_requested:
            self._ranking_requested = True
            # Not at once: the first to ask replaces an upstream that has just failed, and must answer quickly.
            self._loop.call_soon_threadsafe(self._loop.call_later, _RANKING_DELAY_SECONDS, self._load_for_ranking)
        return encoder

    def _load_for_ranking(self) -> None:
        self._static.begin().add_done_callback(self._note_failure)

    def _note_failure(self, loading: asyncio.Future[StaticEncoder]) -> None:
        if not loading.cancelled() and loading.exception() is not None:
            self._ranking_requested = False
            log.error("ranking_without_encoder", reason=str(loading.exception()))

    async def embedder(self, name: str, role: Role) -> Embedder:
        """Return the embedder that ``name``, one of ``BUNDLED_NAMES``, stands for; raises ``EncoderNotLoaded``."""
        if name in (BUNDLED_FAST, static_encoder.MODEL):
            return StaticEmbedder(await _loaded(self._static), self._in_thread)
        return TransformerEmbedder(await _loaded(self._transformer), self._pool, role)


async def _loaded(encoder: Lazy[T]) -> T:
    try:
        return await encoder.get()
    except Exception as error:
        raise EncoderNotLoaded(reason="The bundled encoder could not be loaded", retry_after_seconds=60) from error
