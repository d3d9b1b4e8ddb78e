"""The encoders that ship, as the rest of the service uses them: which there are, when they load, and who runs when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import numpy as np
import structlog

from castor_chassis import Chassis
from openai_service.embeddings import static_encoder, transformer
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import Role, TransformerEncoder, runs
from openai_service.embeddings.vector_cache import Embedder, portions
from openai_service.errors import EncoderBusy, EncoderNotLoaded, WrongDimensions
from openai_service.extractive.ranker import Floats
from openai_service.metrics import ENCODER_QUEUED
from openai_service.protocol.chat import BUNDLED, BUNDLED_FAST

log = structlog.get_logger("castor.openai.encoders")
InThread = Callable[..., Awaitable[Any]]
T = TypeVar("T")
_BEFORE_LOADING_SECONDS = 1.0


class Lanes:
    """Runs the transformer in threads: as many runs at a time as there are lanes, requests by turns, within bounds."""

    def __init__(self, in_thread: InThread, *, lanes: int, queue_texts: int) -> None:
        self._in_thread = in_thread
        self._count = lanes
        self._free = asyncio.Semaphore(lanes)
        self._queue_texts = queue_texts
        self._queued = 0

    async def encode(self, encoder: TransformerEncoder, texts: Sequence[str], role: Role) -> tuple[Floats, int]:
        """Return one row per text and the tokens read; raises ``EncoderBusy`` where too many texts wait."""
        with self._queue(len(texts)):
            ids = await self._in_thread(encoder.read, texts, role)
            rows = np.empty((len(texts), encoder.dimensions), dtype=np.float32)
            waiting = runs(ids)

            async def work() -> None:
                # One run a turn: the semaphore serves in order, so a small request waits for one run of each other.
                for places in waiting:
                    async with self._free:
                        rows[places] = await self._in_thread(encoder.run, [ids[place] for place in places])

            await asyncio.gather(*(work() for _ in range(self._count)))
            return rows, sum(map(len, ids))

    @contextmanager
    def _queue(self, texts: int) -> Iterator[None]:
        # What waits for nothing is never refused.
        if self._queued and self._queued + texts > self._queue_texts:
            raise EncoderBusy(waiting=self._queued, retry_after_seconds=2)
        self._queued += texts
        ENCODER_QUEUED.set(self._queued)
        try:
            yield
        finally:
            self._queued -= texts
            ENCODER_QUEUED.set(self._queued)


class Once(Generic[T]):
    """Loads something at its first use, in whichever thread that is; a load that fails is tried again by the next."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._loaded: T | None = None

    def get(self) -> T:
        """Return it; raises what loading raises."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def now(self) -> T | None:
        """Return it if it is loaded."""
        return self._loaded


class Encoders:
    """The static encoder and the transformer: each costs memory, and waits until it is needed.

    What ``at_once`` names is needed by every request that names nothing: it loads now, and the service is ready when
    it has. A load on first use that fails is tried again by the next use.
    """

    def __init__(self, chassis: Chassis, *, at_once: Collection[str], queue_texts: int) -> None:
        self._in_thread: InThread = chassis.in_thread
        self._lanes = Lanes(chassis.in_thread, lanes=chassis.settings.worker_threads, queue_texts=queue_texts)
        self._static = Once(StaticEncoder.load)
        self._ranking_asked = False
        self._loop = asyncio.get_running_loop()
        self._transformer: asyncio.Task[TransformerEncoder] | None = None
        if BUNDLED_FAST in at_once:
            chassis.load("encoder", self._static.get)
        if BUNDLED in at_once:
            self._transformer = chassis.load("transformer", TransformerEncoder.load)

    def ranking(self) -> StaticEncoder | None:
        """Return the encoder that ranks quotes if it is usable now; the first call, in any thread, makes it so soon."""
        if self._static.now() is None and not self._ranking_asked:
            self._ranking_asked = True
            # Not at once: whoever asks first answers in a hurry, in place of an upstream that has just failed.
            self._loop.call_soon_threadsafe(self._loop.call_later, _BEFORE_LOADING_SECONDS, self._load_for_ranking)
        return self._static.now()

    def _load_for_ranking(self) -> None:
        self._ranking_load = asyncio.ensure_future(self._in_thread(self._static.get))
        self._ranking_load.add_done_callback(self._note_ranking)

    def _note_ranking(self, loading: asyncio.Future[StaticEncoder]) -> None:
        if not loading.cancelled() and loading.exception() is not None:
            self._ranking_asked = False
            log.error("ranking_by_words_alone", reason=str(loading.exception()))

    async def embedder(self, model: str, role: Role) -> Embedder:
        """Return the one that `bundled`, `bundled-fast` or an id names; raises ``EncoderNotLoaded``."""
        if model in (BUNDLED_FAST, static_encoder.MODEL):
            return _Static(await _loaded(self._in_thread(self._static.get)), self._in_thread)
        if self._transformer is None or _failed(self._transformer):
            self._transformer = asyncio.ensure_future(self._in_thread(TransformerEncoder.load))
        return _Transformer(await _loaded(self._transformer), self._lanes, role)


NAMES = {
    BUNDLED: BUNDLED,
    transformer.MODEL: BUNDLED,
    BUNDLED_FAST: BUNDLED_FAST,
    static_encoder.MODEL: BUNDLED_FAST,
}
"""What requests may call an encoder, and which it is."""


class _Own:
    """What the embedders of this service have in common."""

    def __init__(self, encoder: StaticEncoder | TransformerEncoder, space: str) -> None:
        self.model = encoder.model
        self.version: str | None = encoder.version
        self.space = space
        self._dimensions = encoder.dimensions

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """See ``Embedder``."""
        return portions(texts)

    def check(self, dimensions: int | None) -> None:
        """See ``Embedder``."""
        if dimensions not in (None, self._dimensions):
            raise WrongDimensions(model=self.model, dimensions=self._dimensions, wanted=dimensions)


class _Static(_Own):
    name = BUNDLED_FAST

    def __init__(self, encoder: StaticEncoder, in_thread: InThread) -> None:
        super().__init__(encoder, f"{encoder.model}@{encoder.version}")
        self._encoder = encoder
        self._in_thread = in_thread

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:  # noqa: ARG002
        """See ``Embedder``; words stand for tokens."""
        return await self._in_thread(self._encoder.encode, list(texts)), sum(len(text.split()) for text in texts)


class _Transformer(_Own):
    name = BUNDLED

    def __init__(self, encoder: TransformerEncoder, lanes: Lanes, role: Role) -> None:
        super().__init__(encoder, f"{encoder.model}@{encoder.version}:{role}")
        self._encoder = encoder
        self._lanes = lanes
        self._role = role

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:  # noqa: ARG002
        """See ``Embedder``."""
        return await self._lanes.encode(self._encoder, texts, self._role)


async def _loaded(loading: Awaitable[T]) -> T:
    try:
        return await asyncio.shield(loading)
    except Exception as error:
        raise EncoderNotLoaded(reason="The bundled encoder could not be loaded", retry_after_seconds=60) from error


def _failed(loading: asyncio.Task[Any]) -> bool:
    return loading.done() and (loading.cancelled() or loading.exception() is not None)
