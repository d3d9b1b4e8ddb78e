"""The score cache, on a real Valkey."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from castor_chassis.testing import RunningService
from sentiment_service.classifiers.base import LABELS, ModelCard, Scores
from sentiment_service.classifiers.loader import load_model
from sentiment_service.inference.score_cache import cache_key, packed, unpacked
from sentiment_service.text.normalise import normalise

Run = Callable[..., AbstractAsyncContextManager[RunningService]]
CARD = ModelCard("some-model", "1.0.0", ("es",), LABELS)


async def scores(service: RunningService, *texts: str) -> list[dict[str, Any]]:
    """Return the results without the texts."""
    answer = await service.client.post("/v1/sentiment/analyze", json={"texts": texts})
    assert answer.status_code == 200, answer.text
    return [{key: value for key, value in one.items() if key != "text"} for one in answer.json()["data"]["results"]]


def counted(outcome: str) -> float:
    """Return how many texts were looked up with this outcome."""
    return REGISTRY.get_sample_value("castor_sentiment_cache_texts_total", {"outcome": outcome}) or 0.0


def inferences() -> float:
    """Return how many batches were computed."""
    return REGISTRY.get_sample_value("castor_sentiment_batch_texts_count") or 0.0


DAMAGED = [b"", b"short", b"\xff" * 24, bytes(24), packed(Scores(0.9, 0.9, 0.9)), packed(Scores(2.0, -0.5, -0.5))]


@pytest.mark.parametrize("value", DAMAGED)
def test_what_cannot_be_scores_is_a_miss(value: bytes) -> None:
    """Bytes of another length, infinite values, and shares that sum to more than one or to nothing are a miss."""
    assert unpacked(value) is None


async def test_a_hit_needs_no_inference(run: Run, redis_url: str) -> None:
    """A text seen before, in another spelling of the same words, is answered from Redis with the very same scores."""
    async with run(redis_url=redis_url, cache_ttl_seconds=60) as service:
        first = await scores(service, "Gracias @ana, qué biennnn https://t.co/a")
        hits, misses, batches = counted("hit"), counted("miss"), inferences()
        second = await scores(service, "Gracias @luis,  qué biennnnnn https://t.co/b", "otra cosa que es nueva")
        assert second[0] == first[0]
        assert (counted("hit") - hits, counted("miss") - misses, inferences() - batches) == (1, 1, 1)
        assert await scores(service, "otra cosa que es nueva") == second[1:]
        assert inferences() - batches == 1


async def test_another_process_finds_it(run: Run, redis_url: str) -> None:
    """Scores outlive the process that computed them, for as long as the setting says."""
    async with run(redis_url=redis_url, cache_ttl_seconds=60) as service:
        first = await scores(service, "esto lo recuerda Redis")
    async with run(redis_url=redis_url, cache_ttl_seconds=60) as service:
        batches = inferences()
        assert await scores(service, "esto lo recuerda Redis") == first
        assert inferences() == batches
        redis = service.pair.chassis.redis
        assert redis is not None
        key = cache_key(load_model("bundled").model, "esto lo recuerda Redis")
        assert 0 < await redis.ttl(f"castor:{{sentiment-service}}:{key}") <= 60


async def test_without_redis_it_computes(run: Run, redis_server: Any, redis_url: str) -> None:
    """When Redis is gone, answers are the same and come from the model."""
    async with run(redis_url=redis_url, cache_ttl_seconds=60) as service:
        first = await scores(service, "con o sin caché da lo mismo")
        redis_server.stop()
        batches = inferences()
        assert await scores(service, "con o sin caché da lo mismo") == first
        assert inferences() - batches == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("¡Holaaaa  @ana!", "¡Holaa @luis!"), ("mira https://t.co/a", "mira  https://t.co/b"), ("a &amp; b", "a & b")],
)
def test_one_key_for_what_normalises_to_the_same(one: str, other: str) -> None:
    """Spellings that the model reads as one text have one key."""
    assert cache_key(CARD, normalise(one)) == cache_key(CARD, normalise(other))


def test_keys_differ_where_answers_may() -> None:
    """Another text, case, model or version has another key."""
    cards = [CARD, ModelCard("other", "1.0.0", ("es",), LABELS), ModelCard("some-model", "1.0.1", ("es",), LABELS)]
    keys = [cache_key(card, text) for card in cards for text in ("hola", "Hola", "hola!")]
    assert len(set(keys)) == 9


def test_packing_keeps_every_bit_and_refuses_what_is_damaged() -> None:
    """What is packed comes back exactly; a value of another length is a miss."""
    given = Scores(0.1 + 0.2, 1 / 3, 1e-17)
    found = unpacked(packed(given))
    assert found is not None
    assert found == given
    assert unpacked(packed(given)[:-1]) is None
    assert unpacked(None) is None


async def test_the_cache_is_on_where_there_is_a_redis(run: Run, redis_url: str) -> None:
    """With nothing set but the Redis, what was computed is found again; without one nothing is looked up."""
    async with run(redis_url=redis_url) as service:
        first, hits = await scores(service, "esto se guarda sin pedirlo"), counted("hit")
        assert await scores(service, "esto se guarda sin pedirlo") == first
        assert counted("hit") - hits == 1
    async with run() as service:
        lookups = counted("hit") + counted("miss")
        await scores(service, "esto no lo guarda nadie")
        assert counted("hit") + counted("miss") == lookups
