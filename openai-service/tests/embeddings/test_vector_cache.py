"""The vector cache, on a real Valkey: what cannot be a vector of the model is a miss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from redis.asyncio import Redis

from castor_chassis import Cache
from openai_service.embeddings.vector_cache import embed_cached, vector_key, vector_seal
from openai_service.errors import TextNotEmbedded
from openai_service.protocol.vectors import Floats

DIMENSIONS = 4


class Counting:
    """A model whose vector of a text holds its length; notes what it was asked for."""

    name = model = space = "counting"
    version: str | None = None

    def __init__(self) -> None:
        self.asked: list[str] = []

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield one batch, or none."""
        if texts:
            yield list(texts)

    def check(self, dimensions: int | None) -> None:
        """Take any number of dimensions."""

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:  # noqa: ARG002
        """Return the vectors, at one token a text."""
        self.asked += texts
        return np.array([[len(text)] * DIMENSIONS for text in texts], np.float32), len(texts)


@pytest.mark.parametrize("is_bare", [False, True], ids=["sealed", "bare"])
@pytest.mark.parametrize(
    "damaged",
    [b"abc", np.full(DIMENSIONS, np.nan, "<f4").tobytes(), np.ones(DIMENSIONS - 1, "<f4").tobytes()],
    ids=["no whole floats", "not finite", "of another length"],
)
async def test_a_damaged_vector_is_computed_anew(redis_url: str, damaged: bytes, *, is_bare: bool) -> None:
    """Beside whole vectors and new texts, a damaged one costs its computation, and the answer is whole."""
    redis, model = Redis.from_url(redis_url), Counting()
    cache = Cache(redis, "openai-service")
    for texts in (["a", "bb"], ["bb", "a", "ccc"], ["a", "bb"]):
        vectors = await embed_cached(cache, 60, model, texts, None)
        assert [row[0] for row in vectors.rows] == [len(text) for text in texts]
        seal = vector_seal(model.space, None, "a")
        [stored] = await cache.get_many([vector_key(seal)])
        assert seal.open(stored) == np.full(4, 1, "<f4").tobytes()
        await cache.set_many({vector_key(seal): damaged if is_bare else seal.close(damaged)}, 60)
    assert model.asked.count("a") == 3
    await redis.aclose()


async def test_a_text_without_a_vector_is_named_and_the_others_are_kept(redis_url: str) -> None:
    """Numbers that are none are never answered or kept; a repetition without the text costs nothing for the rest."""

    class Sick(Counting):
        async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:
            rows, used = await super().embed(texts, dimensions)
            rows[[text == "enfermo" for text in texts], 1] = np.nan
            return rows, used

    redis, model = Redis.from_url(redis_url), Sick()
    cache = Cache(redis, "openai-service")
    with pytest.raises(TextNotEmbedded) as caught:
        await embed_cached(cache, 60, model, ["eeeee", "enfermo", "ffffff", "enfermo"], None)
    assert (caught.value.details["index"], caught.value.details["count"]) == (1, 1)
    assert (caught.value.details["texts_done"], caught.value.details["texts"]) == (2, 3)
    again = await embed_cached(cache, 60, model, ["eeeee", "ffffff"], None)
    assert (again.tokens, np.isfinite(again.rows).all()) == (0, True)
    await redis.aclose()


async def test_whole_vectors_are_not_computed_again(redis_url: str) -> None:
    """What was computed is taken from the cache, and costs no token."""
    redis, model = Redis.from_url(redis_url), Counting()
    cache = Cache(redis, "openai-service")
    await embed_cached(cache, 60, model, ["dddd"], None)
    again = await embed_cached(cache, 60, model, ["dddd"], None)
    assert (again.tokens, model.asked) == (0, ["dddd"])
    await redis.aclose()


async def test_redis_tells_nothing_of_a_text(redis_url: str) -> None:
    """Neither its words nor its vector, from which words can be guessed, stand there to be read after it is erased."""
    redis, model = Redis.from_url(redis_url), Counting()
    text = "Ana Pérez lo dijo en Cali."
    await embed_cached(Cache(redis, "openai-service"), 60, model, [text], None)
    vector = np.full(DIMENSIONS, len(text), "<f4").tobytes()
    keys = await redis.keys("castor:{openai-service}:embedding:*")
    held = b"".join([*keys, *(value for value in await redis.mget(keys) if value is not None)])
    assert keys
    assert not any(part in held for part in (vector, "Pérez".encode(), b"Cali"))
    await redis.aclose()
