"""Embeddings: order, encodings, cache, and models that are never mixed."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import openai
import pytest
from fake_openai import FakeOpenAI, Fault, vector
from openai_support import Run, Sdk
from redis.asyncio import Redis

from castor_chassis.testing import RunningService
from castor_devstack.stack.valkey import EmbeddedValkey
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import TransformerEncoder

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/openai/embeddings"
TEXTS = ["La salud es un derecho", "Bajar impuestos", "La salud es un derecho", "Paz con justicia"]


def rows(answer: Any) -> np.ndarray[Any, Any]:
    """The vectors of an answer."""
    return np.array([item.embedding for item in answer.data], dtype=np.float32)


async def test_sdk_gets_the_encoders_own_vectors_in_order(
    offline: RunningService, sdk: Sdk, encoder: TransformerEncoder
) -> None:
    """By default, which the SDK makes base64, each row is what the bundled encoder says of its text."""
    answer = await sdk(offline).embeddings.create(model="bundled", input=TEXTS)
    assert np.array_equal(rows(answer), encoder.encode(TEXTS))
    assert [item.index for item in answer.data] == [0, 1, 2, 3]
    assert answer.model == encoder.model
    assert "degraded" not in answer.to_dict()


async def test_float_and_base64_carry_the_same_numbers(offline: RunningService) -> None:
    """Both encodings give bit for bit the same float32 rows, of unit length."""
    plain = await offline.client.post(PATH, json={"input": TEXTS, "encoding_format": "float"})
    packed = await offline.client.post(PATH, json={"input": TEXTS, "encoding_format": "base64"})
    for one, other in zip(plain.json()["data"], packed.json()["data"], strict=True):
        row = np.frombuffer(base64.b64decode(other["embedding"]), "<f4")
        assert np.array_equal(np.array(one["embedding"], dtype=np.float32), row)
        assert abs(float(np.linalg.norm(row)) - 1) < 1e-5


async def test_a_text_is_computed_once(online: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """Repeated texts are asked for once; known ones come from the cache; the order stays the caller's."""
    first = await sdk(online).embeddings.create(model="e", input=TEXTS)
    again = await sdk(online).embeddings.create(model="e", input=["Nuevo", *TEXTS[::-1]])
    assert [body["input"] for body in upstream.bodies] == [[TEXTS[0], TEXTS[1], TEXTS[3]], ["Nuevo"]]
    assert np.array_equal(rows(again)[1:], rows(first)[::-1])
    assert np.array_equal(rows(first)[1], np.array(vector(TEXTS[1]), dtype=np.float32))
    assert (first.usage.total_tokens, again.usage.total_tokens) == (21, 7)


async def test_the_cache_keeps_models_and_dimensions_apart(
    online: RunningService, sdk: Sdk, upstream: FakeOpenAI
) -> None:
    """The same text under another model or length is another vector."""
    client = sdk(online)
    full = await client.embeddings.create(model="apart", input="a")
    short = await client.embeddings.create(model="apart", input="a", dimensions=4)
    other = await client.embeddings.create(model="apart-2", input="a")
    assert (rows(full).shape, rows(short).shape, rows(other).shape) == ((1, 8), (1, 4), (1, 8))
    assert len(upstream.bodies) == 3


async def test_large_batches_are_split_and_stay_in_order(
    online: RunningService, sdk: Sdk, upstream: FakeOpenAI
) -> None:
    """600 texts are three calls upstream and one ordered answer."""
    texts = [f"texto {number}" for number in range(600)]
    answer = await sdk(online).embeddings.create(model="large", input=texts)
    assert [len(body["input"]) for body in upstream.bodies] == [256, 256, 88]
    assert np.array_equal(rows(answer), np.array([vector(text) for text in texts], dtype=np.float32))


async def test_without_redis_nothing_is_missed(
    offline: RunningService, sdk: Sdk, redis_server: EmbeddedValkey, redis_url: str, encoder: TransformerEncoder
) -> None:
    """With Valkey down vectors are computed anew; a damaged entry is never an answer."""
    redis_server.stop()
    answer = await sdk(offline).embeddings.create(model="bundled", input=TEXTS)
    redis_server.start()
    await sdk(offline).embeddings.create(model="bundled", input=TEXTS)
    async with Redis.from_url(redis_url) as redis:
        keys = await redis.keys("castor:{openai-service}:embedding:*")
        for key in keys:
            await redis.set(key, b"abc")
    mended = await sdk(offline).embeddings.create(model="bundled", input=TEXTS)
    assert len(keys) >= 3
    assert np.array_equal(rows(answer), encoder.encode(TEXTS))
    assert np.array_equal(rows(mended), encoder.encode(TEXTS))


async def test_another_model_says_so(offline: RunningService, sdk: Sdk, encoder: TransformerEncoder) -> None:
    """A model that is not there is replaced by the bundled one, named in the answer, and marked."""
    answer = await sdk(offline).embeddings.create(model="text-embedding-3-small", input="hola")
    own = await sdk(offline).embeddings.create(model=answer.model, input="hola")
    assert answer.to_dict()["degraded"] == ["embeddings"]
    assert answer.model == own.model == encoder.model
    assert "degraded" not in own.to_dict()


async def test_without_fallback_another_model_is_503(run: Run) -> None:
    """Where degraded answers are not allowed, a model that is not there is an error."""
    async with run(allow_degraded=False) as service:
        answer = await service.client.post(PATH, json={"model": "text-embedding-3-small", "input": "hola"})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_language_model")


@pytest.mark.parametrize("fault", [Fault(status=500), Fault("hang up"), Fault("html")], ids=["500", "hang up", "html"])
async def test_a_failing_upstream_is_never_replaced(online: RunningService, upstream: FakeOpenAI, fault: Fault) -> None:
    """A failing upstream is answered with 503, never with another model's vectors; the next call succeeds."""
    upstream.script = [fault]
    body = {"model": "fails", "input": [f"{fault.kind} a", "b"]}
    failed = await online.client.post(PATH, json=body)
    fine = await online.client.post(PATH, json=body)
    assert (failed.status_code, failed.json()["code"]) == (503, "upstream_unavailable")
    assert len(fine.json()["data"]) == 2


async def test_the_setting_chooses_who_embeds_by_default(
    run: Run, online: RunningService, with_upstream: dict[str, Any], encoder: TransformerEncoder
) -> None:
    """'default' is the upstream's model where there is one, or the bundled one where that is configured."""
    async with run(**with_upstream, embedding_provider="bundled") as service:
        bundled = await service.client.post(PATH, json={"input": "hola"})
    upstreams = await online.client.post(PATH, json={"input": "hola"})
    assert bundled.json()["model"] == encoder.model
    assert upstreams.json()["model"] == "text-embedding-3-small"


async def test_only_the_encoders_dimensions_are_made(
    offline: RunningService, sdk: Sdk, encoder: TransformerEncoder
) -> None:
    """Its own number is accepted; another is refused with the right one named."""
    own = encoder.dimensions
    answer = await sdk(offline).embeddings.create(model="bundled", input="hola", dimensions=own)
    with pytest.raises(openai.ConflictError) as caught:
        await sdk(offline).embeddings.create(model="bundled", input="hola", dimensions=own + 1)
    assert rows(answer).shape == (1, own)
    assert caught.value.response.json()["code"] == "wrong_dimensions"
    assert f"{own} dimensions" in caught.value.message


@pytest.mark.parametrize(
    "given", ["", "  ", [], ["a", ""], ["a"] * 2049, [1, 2], [[1], [2]], "x" * 32_001, "a\x00b", None]
)
async def test_unusable_input_is_refused(offline: RunningService, given: Any) -> None:
    """Blank, missing, too long, too many and token inputs are 422 at the field 'input'."""
    answer = await offline.client.post(PATH, json={"input": given})
    assert answer.status_code == 422
    assert answer.json()["details"]["fields"][0]["field"].startswith("body.input")


async def test_chat_model_makes_no_embeddings(offline: RunningService) -> None:
    """'extractive' here is a mistake, and the answer names the model to use."""
    answer = await offline.client.post(PATH, json={"model": "extractive", "input": "hola"})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_model")
    assert "'bundled'" in answer.json()["error"]["message"]


async def test_the_answer_names_its_version(offline: RunningService, sdk: Sdk, encoder: TransformerEncoder) -> None:
    """An index can tell from model and version when to embed again."""
    answer = await sdk(offline).embeddings.create(model="bundled", input="hola")
    assert answer.to_dict()["version"] == encoder.version
    assert (await sdk(offline).embeddings.create(model="bundled-fast", input="hola")).to_dict()["version"]


async def test_an_upstreams_answer_has_no_version(online: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """An upstream's answer has no version, and 'input_type' is not sent to it."""
    answer = await sdk(online).embeddings.create(model="v", input="con rol", extra_body={"input_type": "passage"})
    assert "version" not in answer.to_dict()
    assert "input_type" not in upstream.bodies[-1]


async def test_a_text_is_read_in_its_role(offline: RunningService, sdk: Sdk, encoder: TransformerEncoder) -> None:
    """The two roles have two vectors, in the answers and in the cache, and a query is what is not said otherwise."""
    client, text = sdk(offline), "La ministra renunció"
    for role in ("passage", "query", "passage"):
        answer = await client.embeddings.create(model="bundled", input=text, extra_body={"input_type": role})
        assert np.array_equal(rows(answer), encoder.encode([text], role))  # type: ignore[arg-type]
    assert np.array_equal(
        rows(await client.embeddings.create(model="bundled", input=text)), encoder.encode([text], "query")
    )


async def test_both_encoders_answer_to_name_and_id(
    online: RunningService, sdk: Sdk, upstream: FakeOpenAI, encoder: TransformerEncoder, fast_encoder: StaticEncoder
) -> None:
    """With an upstream too, the encoders that ship are reached by their names and by the ids that answers give."""
    client = sdk(online)
    for own in (encoder, fast_encoder):
        name = "bundled" if own is encoder else "bundled-fast"
        by_name = await client.embeddings.create(model=name, input="La paz")
        by_id = await client.embeddings.create(model=own.model, input="La paz")
        assert by_name.model == by_id.model == own.model
        assert np.array_equal(rows(by_name), own.encode(["La paz"]))
        assert np.array_equal(rows(by_id), rows(by_name))
    assert upstream.bodies == []


async def test_the_fast_encoder_can_be_the_default(run: Run, fast_encoder: StaticEncoder) -> None:
    """With EMBEDDING_PROVIDER=bundled-fast the static encoder is the default, and the transformer is not loaded."""
    async with run(embedding_provider="bundled-fast") as service:
        answer = await service.client.post(PATH, json={"input": "hola"})
        other = await service.client.post(PATH, json={"model": "text-embedding-3-small", "input": "hola"})
    assert answer.json()["model"] == other.json()["model"] == fast_encoder.model
    assert (answer.json().get("degraded"), other.json()["degraded"]) == (None, ["embeddings"])
