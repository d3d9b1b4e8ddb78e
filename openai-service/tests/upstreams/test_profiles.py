"""Providers differ in what they accept: the table of profiles, each against a fake that refuses as the real one."""

from __future__ import annotations

from typing import Any

import pytest
from fake_openai import WORDS, FakeOpenAI, Fault, vector
from openai_support import Run
from provider_rules import openai, openai_reasoning, strict

from castor_chassis.testing import RunningService, until
from openai_service.settings import ProviderSettings
from openai_service.upstreams.fitting import Fitter
from openai_service.upstreams.profiles import MODELS, PROFILES, model_profile

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH, EMBEDDINGS = "/v1/openai/chat/completions", "/v1/openai/embeddings"
ASKED: list[dict[str, Any]] = [{"role": "user", "content": "¿Cómo va la salud?"}]
TEXT = "".join(WORDS)
VLLM_ANSWER = {
    "role": "assistant",
    "content": "Hola, soy una respuesta.",
    "reasoning_content": None,
    "refusal": None,
    "annotations": None,
    "audio": None,
    "function_call": None,
    "tool_calls": [],
}
DEEPSEEK_ANSWER = {"role": "assistant", "content": "Hola, soy una respuesta.", "reasoning_content": "pienso un poco"}


async def ask(service: RunningService, status: int = 200, **body: Any) -> Any:
    """Return the answer to ``body``."""
    answer = await service.client.post(PATH, json={"messages": ASKED, **body})
    assert answer.status_code == status, answer.text
    return answer


async def test_a_reasoning_model_gets_its_own_field_for_the_limit(online: RunningService, upstream: FakeOpenAI) -> None:
    """``max_tokens`` and sampling go to gpt-5-mini renamed and left out, and a header says so."""
    upstream.refuses = openai_reasoning
    answer = await ask(online, model="gpt-5-mini", max_tokens=300, temperature=0.2, stop="fin")
    assert answer.headers["X-Castor-Adapted"] == (
        "dropped temperature, renamed max_tokens to max_completion_tokens, dropped stop"
    )
    (sent,) = upstream.bodies
    assert sent == {"model": "gpt-5-mini", "messages": ASKED, "max_completion_tokens": 300}


async def test_what_nothing_was_changed_of_has_no_header(online: RunningService, upstream: FakeOpenAI) -> None:
    """A request that the provider takes as it is reaches it so, and the answer says nothing."""
    upstream.refuses = openai_reasoning
    answer = await ask(online, model="o3", max_completion_tokens=300, reasoning_effort="low")
    assert "X-Castor-Adapted" not in answer.headers
    assert upstream.bodies[0]["max_completion_tokens"] == 300


async def test_a_strict_server_streams_without_usage(run: Run, upstream: FakeOpenAI) -> None:
    """A server of the profile ``strict`` never sees ``stream_options``; a caller who asked for usage is told."""
    upstream.refuses = strict
    options = {"stream": True, "stream_options": {"include_usage": True}, "user": "yo"}
    async with run(openai_base_url=upstream.url, openai_profile="strict", allow_degraded=False) as service:
        answer = await ask(service, model="strict-large", **options)
    assert answer.headers["X-Castor-Adapted"] == "dropped user, dropped stream_options"
    assert answer.text.count('"usage"') == 0
    assert answer.text.endswith("data: [DONE]\n\n")
    assert len(upstream.bodies) == 1


async def test_a_refusal_teaches_what_no_table_knows(online: RunningService, upstream: FakeOpenAI) -> None:
    """A field that an unknown server refuses is left out at once from then on; its first caller gets an answer too."""
    upstream.refuses = strict
    for _ in range(2):
        answer = await ask(online, model="strict-large", stream=True, metadata={"a": "b"})
        assert answer.text.endswith("data: [DONE]\n\n")
        assert answer.headers["X-Castor-Adapted"] == "dropped metadata"
    assert ["stream_options" in body for body in upstream.bodies] == [True, False, False]


async def test_an_unknown_reasoning_model_is_learned_too(online: RunningService, upstream: FakeOpenAI) -> None:
    """The limit's other name is tried when the provider names the one that was sent."""
    upstream.refuses = openai_reasoning
    answer = await ask(online, model="my-thinker", max_tokens=300)
    assert answer.headers["X-Castor-Adapted"] == "renamed max_tokens to max_completion_tokens"


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "temperature must be at most 1"), (403, "max_tokens is not supported"), (422, "tools is not supported")],
)
async def test_other_refusals_are_the_callers(
    online: RunningService, upstream: FakeOpenAI, status: int, message: str
) -> None:
    """A value out of range, a matter of the account, or a field that an answer needs is answered with the refusal."""
    upstream.script = [Fault(status=status, message=message)]
    sent = {"temperature": 1.9, "max_tokens": 3, "tools": [{"type": "function", "function": {"name": "f"}}]}
    refused = await ask(online, 502, model="picky", **sent)
    assert message in refused.json()["error"]["message"]
    assert len(upstream.bodies) == 1


@pytest.mark.parametrize("answer", [VLLM_ANSWER, DEEPSEEK_ANSWER], ids=["vllm", "deepseek"])
async def test_an_answer_goes_back_as_it_came(
    online: RunningService, upstream: FakeOpenAI, answer: dict[str, Any]
) -> None:
    """vLLM and DeepSeek get their own answer back field by field, thoughts and nulls included."""
    messages = [*ASKED, answer, {"role": "user", "content": "¿y entonces?"}]
    model = "deepseek-chat" if answer is DEEPSEEK_ANSWER else "vllm-qwen"
    said = await ask(online, model=model, messages=messages)
    assert "X-Castor-Adapted" not in said.headers
    assert upstream.bodies[0]["messages"] == messages


async def test_openai_gets_no_thoughts_of_others(run: Run, upstream: FakeOpenAI) -> None:
    """OpenAI refuses what it does not know of a message, so it gets the rest, and a header says what is missing."""
    upstream.refuses = openai
    messages = [*ASKED, {**VLLM_ANSWER, "reasoning_content": "pienso"}, *ASKED]
    async with run(openai_base_url=upstream.url, openai_profile="openai", allow_degraded=False) as service:
        answer = await ask(service, model="gpt-4o-mini", messages=messages)
    assert answer.headers["X-Castor-Adapted"] == "dropped messages.reasoning_content"
    assert upstream.bodies[0]["messages"][1] == {"role": "assistant", "content": VLLM_ANSWER["content"]}


async def test_a_cached_answer_says_the_same(run: Run, upstream: FakeOpenAI) -> None:
    """An answer from the cache has the header of the first one."""
    adapted: list[str] = []
    async with run(openai_base_url=upstream.url, chat_cache_seconds=60) as service:

        async def is_cached() -> bool:
            answer = await ask(service, model="o1", max_tokens=7, messages=ASKED)
            adapted.append(answer.headers["X-Castor-Adapted"])
            return answer.headers.get("X-Castor-Cache") == "hit"  # "shared" while the first one is being stored

        await until(is_cached)
    assert len(set(adapted)) == 1
    assert len(upstream.bodies) == 1


async def test_redacted_thoughts_are_restored(online: RunningService, upstream: FakeOpenAI) -> None:
    """A placeholder in what a model thought becomes what it stands for, like one in its answer."""
    upstream.replies = [{"content": "ya", "reasoning_content": "Escribe a [CORREO_1]"}] * 2
    asked = [{"role": "user", "content": "Mi correo es ana@ejemplo.com"}]
    for stream in (False, True):
        answer = await ask(online, model="deepseek-reasoner", messages=asked, stream=stream)
        assert '"reasoning_content":"Escribe a ana@ejemplo.com"' in answer.text


async def test_tokens_are_embedded_by_the_model_that_has_their_tokeniser(run: Run, upstream: FakeOpenAI) -> None:
    """Numbers of tokens reach the upstream as they are, one text or several, and answers keep the order."""
    async with run(openai_base_url=upstream.url, redact="off") as service:
        one = await service.client.post(EMBEDDINGS, json={"model": "m", "input": [8921, 59112]})
        two = await service.client.post(EMBEDDINGS, json={"model": "m", "input": [[8921], [59112, 3]]})
        bundled = await service.client.post(EMBEDDINGS, json={"model": "bundled", "input": [1, 2]})
    assert one.json()["data"][0]["embedding"] == pytest.approx(vector([8921, 59112]))
    assert [row["embedding"] for row in two.json()["data"]] == [
        pytest.approx(vector([8921])),
        pytest.approx(vector([59112, 3])),
    ]
    assert [body["input"] for body in upstream.bodies] == [[[8921, 59112]], [[8921], [59112, 3]]]
    assert (bundled.status_code, bundled.json()["error"]["code"]) == (422, "text_needed")


async def test_tokens_cannot_be_redacted(online: RunningService, upstream: FakeOpenAI) -> None:
    """Where personal data is to be replaced, numbers that hide it are refused before they leave, with what to do."""
    refused = await online.client.post(EMBEDDINGS, json={"model": "m", "input": [8921]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "text_needed")
    assert "REDACT" in refused.json()["error"]["message"]
    assert upstream.bodies == []


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-5-mini", "openai-reasoning"),
        ("openai/gpt-5.1", "openai-reasoning"),
        ("o3-pro-2025-06-10", "openai-reasoning"),
        ("gpt-5-chat-latest", "openai"),
        ("deepseek-reasoner", "deepseek-reasoner"),
        ("deepseek-chat", "deepseek"),
        ("gpt-50", None),
        ("o11", None),
        ("qwen", None),
    ],
)
async def test_a_models_name_says_its_profile(model: str, name: str | None) -> None:
    """The longest beginning that ends at a word counts; who serves the model does not."""
    assert model_profile(model, MODELS) == name


async def test_settings_win_over_the_table() -> None:
    """A model's profile wins over its provider's, that over the one of the model's name."""
    provider = ProviderSettings(name="a", base_url="http://x", profile="vllm")
    fitter = Fitter(provider, {"gpt-5-nano": "strict"})
    assert fitter.profile("gpt-5-nano") is PROFILES["strict"]
    assert fitter.profile("gpt-5") is PROFILES["vllm"]
    assert Fitter(ProviderSettings(name="a", kind="openai"), {}).profile("gpt-4o") is PROFILES["openai"]
