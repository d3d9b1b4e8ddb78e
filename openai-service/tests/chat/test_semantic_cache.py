"""The semantic cache: different questions never share an answer; some paraphrases do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fake_openai import FakeOpenAI
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from openai_support import KEY, Run, Sdk
from questions import PARAPHRASES, TRAPS

from castor_chassis.testing import RunningService, TokenIssuer
from openai_service.text.question_form import is_same_question, question_form

pytestmark = pytest.mark.asyncio(loop_scope="module")


def equal(one: str, other: str) -> bool:
    """Return whether the cache would use one question's answer for the other."""
    a, b = question_form(one), question_form(other)
    return a is not None and b is not None and is_same_question(a, b)


async def test_the_sets_are_as_large_as_they_say() -> None:
    """A hundred traps and forty paraphrases at least, no pair twice."""
    assert len(set(TRAPS)) == len(TRAPS) >= 100
    assert len(set(PARAPHRASES)) == len(PARAPHRASES) >= 40


@pytest.mark.parametrize("pair", TRAPS, ids=" | ".join)
async def test_no_trap_is_taken(pair: tuple[str, str]) -> None:
    """Another number, date, negation, name, role, direction or question is another question, both ways round."""
    assert not equal(*pair)
    assert not equal(*reversed(pair))


async def test_some_paraphrases_hit() -> None:
    """The cache recognises at least two fifths of the paraphrases; the numbers of both sets are printed."""
    hits = sum(equal(*pair) for pair in PARAPHRASES)
    wrong = sum(equal(*pair) for pair in TRAPS)
    print(f"paraphrases found {hits} of {len(PARAPHRASES)}; traps taken {wrong} of {len(TRAPS)}")
    assert hits >= 0.4 * len(PARAPHRASES)
    assert wrong == 0


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(["{}", "el {}", "{} %", "$ {}", "del {}"]))
async def test_no_two_numbers_are_one(one: int, other: int, shape: str) -> None:
    """Two questions that differ in a number are never equal."""
    asked = [f"¿Qué pasa con {shape.format(number)} en Cali?" for number in (one, other)]
    assert equal(*asked) == (one == other)


@given(st.permutations(["Petro", "Duque", "Uribe", "Claudia"]))
async def test_names_keep_their_places(names: list[str]) -> None:
    """Names in another order make another question."""
    shape = "¿{} denunció a {} y {} defendió a {}?"
    assert equal(shape.format("Petro", "Duque", "Uribe", "Claudia"), shape.format(*names)) == (
        names == ["Petro", "Duque", "Uribe", "Claudia"]
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clever(run: Run, fake: FakeOpenAI) -> AsyncIterator[RunningService]:
    """A service with both caches."""
    settings = {"semantic_cache": True, "chat_cache_seconds": 600}
    async with run(openai_base_url=fake.url, openai_api_key=KEY, **settings) as service:
        yield service


def asked(text: str) -> list[Any]:
    """One question as a conversation."""
    return [{"role": "system", "content": "Responde corto."}, {"role": "user", "content": text}]


async def said(client: AsyncOpenAI, text: str, **more: Any) -> str | None:
    """Ask and return the answer's text."""
    answer = await client.chat.completions.create(model="m", messages=asked(text), **more)
    return answer.choices[0].message.content


async def test_a_paraphrase_is_answered_once(clever: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """The second wording gets the first one's answer without a call; another number makes a call of its own."""
    upstream.replies = [{"content": "Cien."}, {"content": "Doscientos."}, {"content": "Con calor."}]
    client = sdk(clever)
    assert await said(client, "¿Cuántos votos obtuvo Fajardo en 2022?") == "Cien."
    assert await said(client, "Por favor, ¿en 2022 cuántos votos consiguió Fajardo?") == "Cien."
    assert await said(client, "¿Cuántos votos obtuvo Fajardo en 2018?") == "Doscientos."
    assert await said(client, "¿Cuántos votos obtuvo Fajardo en 2022?", temperature=1) == "Con calor."
    assert len(upstream.bodies) == 3


async def test_tenants_share_nothing(clever: RunningService, upstream: FakeOpenAI, issuer: TokenIssuer) -> None:
    """The same question of another tenant is another question."""
    upstream.replies = [{"content": "Del primero."}, {"content": "Del segundo."}]
    for user, expected in (("ana", "Del primero."), ("eva", "Del segundo."), ("ana", "Del primero.")):
        token = issuer.sign({**issuer.user_claims(["llm:use"]), "sub": user})
        client = AsyncOpenAI(
            base_url=f"{clever.url}/v1/openai", api_key=token, http_client=clever.client, max_retries=0
        )
        assert await said(client, "¿Qué propone Quintero sobre la vivienda?") == expected


async def test_it_is_off_unless_asked_for(run: Run, fake: FakeOpenAI, sdk: Sdk) -> None:
    """By default only equal requests share an answer."""
    fake.reset()
    async with run(openai_base_url=fake.url, openai_api_key=KEY, chat_cache_seconds=600) as service:
        client = sdk(service)
        await said(client, "¿Qué propone Robledo sobre la deuda?")
        await said(client, "¿Sobre la deuda qué propone Robledo?")
        await said(client, "¿Qué propone Robledo sobre la deuda?")
    assert len(fake.bodies) == 2
