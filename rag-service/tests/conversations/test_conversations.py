"""Conversations over HTTP: kept, followed up, their owner's alone."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World


@pytest.fixture
async def city(world: World) -> World:
    """What two accounts said about two subjects, without openai-service."""
    world.openai.down = True
    for number, (author, text) in enumerate(
        (("petrogustavo", "El hospital público será gratuito."), ("sergio_fajardo", "Cada vereda tendrá su hospital."))
    ):
        world.feed.add(str(number), text, username=author)
    await world.eventually(lambda: world.cursor_is("2"))
    return world


async def _begin(world: World, **body: Any) -> str:
    return str((await world.call("POST", "/v1/rag/conversations", body, status=201))["data"]["id"])


async def _ask(world: World, name: str, question: str) -> Any:
    answer = await world.call("POST", f"/v1/rag/conversations/{name}/questions", {"question": question}, status=201)
    return answer["data"]


async def test_a_follow_up_is_answered_as_if_it_stood_alone(city: World) -> None:
    """ "¿Y Fajardo?" asks of Fajardo what was asked of Petro, and both turns are kept with their answers."""
    name = await _begin(city, title="Salud")
    first = await _ask(city, name, "¿Qué propone Petro sobre hospitales?")
    second = await _ask(city, name, "¿Y Fajardo?")
    assert first["answer"]["citations"][0]["author"] == "petrogustavo"
    assert second["standalone"] == "¿Qué propone Fajardo sobre hospitales?"
    assert [cited["author"] for cited in second["answer"]["citations"]] == ["sergio_fajardo"]
    kept = (await city.call("GET", f"/v1/rag/conversations/{name}"))["data"]
    assert (kept["title"], kept["turns"], kept["items"]) == ("Salud", 2, [first, second])


async def test_an_author_who_is_named_and_not_quoted_leaves_an_answer(world: World) -> None:
    """It tells who wrote, and how many: with the tweet that is erased, so is that."""
    world.openai.down = True
    for number in range(4):
        world.feed.add(str(number), f"El tranvía sale caro {'y es lento ' * number}.", username=f"ana{number}")
    await world.eventually(lambda: world.cursor_is("4"))
    name = await _begin(world)
    told = (await _ask(world, name, "¿Qué dicen del tranvía?"))["answer"]
    cited = {one["id"] for one in told["citations"]}
    other = next(number for number in range(4) if f"tweet:{number}" not in cited)
    assert f"@ana{other}" in told["answer"]
    world.feed.add(str(other), "", deleted=True)
    await world.eventually(lambda: world.cursor_is("5"))
    (turn,) = (await world.call("GET", f"/v1/rag/conversations/{name}"))["data"]["items"]
    assert f"@ana{other}" not in str(turn["answer"])


async def test_a_conversation_is_its_owners_alone(city: World) -> None:
    """Another user of the organisation neither sees, continues nor erases it; its owner lists and erases it."""
    names = [await _begin(city) for _ in range(3)]
    mine = dict(city.headers)
    city.headers["Authorization"] = "Bearer " + city.issuer.user_token(["rag:query"])
    assert (await city.call("GET", "/v1/rag/conversations"))["data"]["items"] == []
    for method, path, body in (
        ("GET", names[0], None),
        ("DELETE", names[0], None),
        ("POST", f"{names[0]}/questions", {"question": "¿Hospitales?"}),
    ):
        refused = await city.call(method, f"/v1/rag/conversations/{path}", body, status=404)
        assert refused["code"] == "conversation_not_found"
    city.headers.update(mine)
    first = await city.call("GET", "/v1/rag/conversations?limit=2")
    rest = await city.call("GET", f"/v1/rag/conversations?limit=2&cursor={first['meta']['next_cursor']}")
    assert [item["id"] for item in [*first["data"]["items"], *rest["data"]["items"]]] == names[::-1]
    await city.call("DELETE", f"/v1/rag/conversations/{names[0]}")
    await city.call("GET", f"/v1/rag/conversations/{names[0]}", status=404)
    await city.call("GET", "/v1/rag/conversations?cursor=1", status=422)


async def test_pages_stand_when_conversations_go_and_come(city: World) -> None:
    """A page ends with a conversation that is erased, and another begins: the next goes on; titles are composed."""
    names = [await _begin(city, title="Educacio\u0301n") for _ in range(4)]
    first = await city.call("GET", "/v1/rag/conversations?limit=2")
    assert {item["title"] for item in first["data"]["items"]} == {"Educación"}
    await city.call("DELETE", f"/v1/rag/conversations/{names[2]}")
    await _begin(city)
    rest = await city.call("GET", f"/v1/rag/conversations?limit=2&cursor={first['meta']['next_cursor']}")
    assert [item["id"] for item in rest["data"]["items"]] == names[1::-1]
    nobody = await city.call("GET", "/v1/rag/conversations?until=2020-01-01")
    assert nobody["data"]["items"] == []


async def test_a_conversation_is_begun_once(city: World) -> None:
    """An Idempotency-Key makes one conversation of two requests."""
    city.headers["Idempotency-Key"] = str(uuid.uuid4())
    assert await _begin(city) == await _begin(city)


async def test_a_full_conversation_is_refused_before_anything_is_answered(
    city: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is neither asked nor paid for an answer that is not kept."""
    monkeypatch.setattr("rag_service.conversations.service.MOST_TURNS", 1)
    city.openai.down = False
    city.openai.write = lambda _: "Nada."
    name = await _begin(city)
    await _ask(city, name, "¿Qué propone Petro sobre hospitales?")
    asked = len(city.openai.prompts)
    path, body = f"/v1/rag/conversations/{name}/questions", {"question": "¿Y Fajardo?"}
    assert (await city.call("POST", path, body, status=409))["code"] == "conversation_full"
    assert (asked, len(city.openai.prompts)) == (1, 1)
