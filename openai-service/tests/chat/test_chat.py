"""Chat completions through the official SDK, with an upstream and without."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from fake_openai import USAGE, WORDS, FakeOpenAI, Fault
from openai_support import KEY, Run, Sdk

from castor_chassis.testing import RunningService, TokenIssuer
from openai_service.extractive.passages import escape

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWEET = 'Vamos por "salud para todos" & sin <EPS>. Gracias Cali.'
ASKED: list[Any] = [
    {"role": "system", "content": "Responde con citas."},
    {
        "role": "user",
        "content": f'<document id="7">{escape(TWEET)}</document>\n<question>¿Qué se dice de la salud?</question>',
    },
]
QUOTED = '"Vamos por "salud para todos" & sin <EPS>." [7]'
TEXT = "".join(WORDS)


async def test_sdk_without_upstream_gets_verbatim_quotes(offline: RunningService, sdk: Sdk) -> None:
    """Without a key the answer quotes the documents as they were before escaping, and says that it is degraded."""
    raw = await sdk(offline).chat.completions.with_raw_response.create(model="default", messages=ASKED)
    completion = raw.parse()
    assert QUOTED in (completion.choices[0].message.content or "")
    assert completion.model == "extractive"
    assert completion.to_dict()["degraded"] == ["llm"]
    assert raw.headers["x-castor-degraded"] == "llm"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


async def test_degraded_stream_adds_up_to_the_whole_answer(offline: RunningService, sdk: Sdk) -> None:
    """The streamed pieces are the same text, every chunk says degraded, usage comes last when asked for."""
    client = sdk(offline)
    whole = await client.chat.completions.create(model="extractive", messages=ASKED)
    stream = await client.chat.completions.create(
        model="extractive", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    assert all(chunk.to_dict()["degraded"] == ["llm"] for chunk in chunks)
    assert [c.usage is not None for c in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-2].choices[0].finish_reason == "stop"


async def test_upstream_answers_are_passed_on(online: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """With an upstream its answer arrives complete and undegraded, from the requested model, with our key."""
    named = await sdk(online).chat.completions.create(model="big-model", messages=ASKED, temperature=0.2, seed=7)
    default = await sdk(online).chat.completions.create(model="default", messages=ASKED)
    assert named.choices[0].message.content == default.choices[0].message.content == TEXT
    assert "degraded" not in named.to_dict()
    assert [body["model"] for body in upstream.bodies] == ["big-model", "gpt-4o-mini"]
    assert upstream.bodies[0] == {"model": "big-model", "messages": ASKED, "temperature": 0.2, "seed": 7}
    assert upstream.keys == [f"Bearer {KEY}"] * 2


async def test_upstream_stream_is_relayed(online: RunningService, sdk: Sdk) -> None:
    """Chunks come one by one; the usage that we asked the upstream for is hidden from who did not."""
    stream = await sdk(online).chat.completions.create(model="m", messages=ASKED, stream=True)
    chunks = [chunk async for chunk in stream]
    counted = await sdk(online).chat.completions.create(
        model="m", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    usages = [chunk.usage.to_dict() async for chunk in counted if chunk.usage]
    assert [c.choices[0].delta.content for c in chunks] == [*WORDS, None]
    assert all(chunk.usage is None for chunk in chunks)
    assert usages == [USAGE]


async def test_explicit_extractive_leaves_the_upstream_alone(
    online: RunningService, sdk: Sdk, upstream: FakeOpenAI
) -> None:
    """The model 'extractive' never asks the upstream."""
    completion = await sdk(online).chat.completions.create(model="extractive", messages=ASKED)
    assert QUOTED in (completion.choices[0].message.content or "")
    assert upstream.bodies == []


async def test_an_idempotency_key_is_refused_in_words_that_the_sdk_reads(offline: RunningService, sdk: Sdk) -> None:
    """An answer is not kept under a key; whoever sends one is told so, not answered twice."""
    with pytest.raises(openai.BadRequestError, match="takes no Idempotency-Key") as caught:
        await sdk(offline).chat.completions.create(
            model="extractive", messages=ASKED, extra_headers={"Idempotency-Key": "0123456789-0123456789"}
        )
    assert caught.value.code == "idempotency_unsupported"


async def test_without_upstream_and_fallback_a_named_model_is_503(run: Run, sdk: Sdk) -> None:
    """When degraded answers are not allowed, there are none, and the SDK raises by status."""
    async with run(allow_degraded=False) as service:
        with pytest.raises(openai.InternalServerError) as caught:
            await sdk(service).chat.completions.create(model="gpt-4o-mini", messages=ASKED)
    assert caught.value.status_code == 503
    assert caught.value.response.json()["code"] == "no_language_model"


@pytest.mark.parametrize(
    "wish", [{"response_format": {"type": "json_object"}}, {"tool_choice": "required", "tools": [{"type": "function"}]}]
)
async def test_quotes_never_pass_for_structured_output(offline: RunningService, wish: dict[str, Any]) -> None:
    """Without an upstream a request for JSON or a tool call is refused, not answered with prose."""
    answer = await offline.client.post("/v1/openai/chat/completions", json={"messages": ASKED, **wish})
    assert answer.status_code == 409
    assert answer.json()["code"] == "language_model_needed"
    assert next(iter(wish)) in answer.json()["error"]["message"]


async def test_structured_request_is_not_answered_by_quoting_when_the_upstream_fails(
    online: RunningService, upstream: FakeOpenAI
) -> None:
    """The upstream's failure is answered, because a quote would not fit the caller's schema."""
    upstream.script = [Fault(status=500)]
    body = {"messages": ASKED, "response_format": {"type": "json_object"}}
    answer = await online.client.post("/v1/openai/chat/completions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": "a"}], "n": 2},
        {"messages": [{"role": "user", "content": "a"}], "stream": "yes"},
        {"messages": [{"role": "user", "content": "a"}], "temprature": 1},
        {"messages": [{"role": "user", "content": "a"}], "max_tokens": "3"},
        {"messages": [{"role": "user", "content": "a"}], "model": "a b"},
        {"messages": [{"role": "robot", "content": "a"}]},
    ],
)
async def test_malformed_requests_name_the_field(offline: RunningService, body: dict[str, Any]) -> None:
    """A wrong, unknown or out of range field is refused by name before any model is asked."""
    answer = await offline.client.post("/v1/openai/chat/completions", json=body)
    assert answer.status_code == 422
    assert answer.json()["details"]["fields"][0]["field"].startswith("body.")


async def test_a_scope_is_needed(offline: RunningService, issuer: TokenIssuer) -> None:
    """No token is 401, a token without llm:use is 403, on all four routes."""
    for method, path in [("POST", "chat/completions"), ("POST", "embeddings"), ("GET", "models"), ("GET", "usage")]:
        for header, status in [("", 401), (f"Bearer {issuer.user_token(['tweets:read'])}", 403)]:
            answer = await offline.client.request(
                method, f"/v1/openai/{path}", headers={"Authorization": header}, json={}
            )
            assert answer.status_code == status, (method, path)


async def test_models_are_listed_for_the_sdk(online: RunningService, offline: RunningService, sdk: Sdk) -> None:
    """The SDK lists the offline models, and the upstream's only when there is one."""
    alone = [model.id async for model in sdk(offline).models.list()]
    both = [model.id async for model in sdk(online).models.list()]
    assert alone == ["extractive", "bundled", "bundled-fast"]
    assert both == ["gpt-4o-mini", "text-embedding-3-small", "extractive", "bundled", "bundled-fast"]
