"""Tracked entities, and what a change of them does to stored tweets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ..conftest import Start, Twitter, csv_of, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")

PETRO = {"id": "petro", "name": "Gustavo Petro", "kind": "candidate", "handles": ["@petrogustavo"], "colour": "#AA00FF"}


async def created(twitter: Twitter, entity: dict[str, Any]) -> dict[str, Any]:
    """Create an entity."""
    response = await twitter.send("POST", "/entities", entity)
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


async def matched(twitter: Twitter, entity_id: str) -> None:
    """Wait until stored tweets are matched."""
    async with asyncio.timeout(60):
        while (await twitter.data(f"/entities/{entity_id}"))["matching"]:
            await asyncio.sleep(0.05)


async def test_life_of_an_entity(twitter: Twitter) -> None:
    """An entity is created, listed, changed and deleted; its id is unique; a deleted id may be taken again."""
    entity = await created(twitter, PETRO)
    assert (entity["handles"], entity["aliases"], entity["hashtags"]) == (["petrogustavo"], ["Gustavo Petro"], [])
    again = await twitter.send("POST", "/entities", PETRO)
    assert (again.status_code, again.json()["code"]) == (409, "entity_exists")
    changed = await twitter.send("PATCH", "/entities/petro", {"colour": None, "hashtags": ["#Cambio"], "name": None})
    assert (changed.json()["data"]["colour"], changed.json()["data"]["hashtags"]) == (None, ["Cambio"])
    assert changed.json()["data"]["name"] == "Gustavo Petro"
    assert [e["id"] for e in (await twitter.data("/entities"))["items"]] == ["petro"]
    assert (await twitter.send("DELETE", "/entities/petro")).status_code == 200
    assert (await twitter.get("/entities/petro")).json()["code"] == "entity_not_found"
    await created(twitter, PETRO)


@pytest.mark.parametrize(
    "body",
    [
        {**PETRO, "id": "Not A Slug"},
        {**PETRO, "kind": "person"},
        {**PETRO, "handles": ["two words"]},
        {**PETRO, "colour": "red"},
        {**PETRO, "unknown": 1},
        {**PETRO, "name": "nul\x00"},
    ],
)
async def test_invalid_entities(twitter: Twitter, body: dict[str, Any]) -> None:
    """A value outside the contract is refused with 422 and the field's name."""
    response = await twitter.send("POST", "/entities", body)
    assert response.status_code == 422
    assert response.json()["details"]["fields"]


async def test_a_new_entity_finds_stored_tweets(twitter: Twitter) -> None:
    """Stored tweets are matched against a new entity, and those that change come in the feed again."""
    rows = [(n, "ana", "2022-05-01T10:00:00Z", f"Petro dice {n}" if n % 2 else f"nada {n}") for n in range(1, 51)]
    await twitter.imported(csv_of(rows))
    head = (await twitter.whole_feed())[-1]["seq"]
    await created(twitter, {**PETRO, "aliases": ["Petro"]})
    await matched(twitter, "petro")
    changed = [item for item in await twitter.whole_feed(head) if item["entities"]]
    assert {int(item["id"]) for item in changed} == {n for n in range(1, 51) if n % 2}
    listed = (await twitter.data("/tweets", entity="petro", limit=100))["items"]
    assert len(listed) == 25


async def test_changed_terms_take_tweets_away(twitter: Twitter) -> None:
    """When an alias is taken away or the entity deleted, tweets lose it, and the feed says so."""
    await created(twitter, {**PETRO, "aliases": ["Petro", "Cambio"]})
    await twitter.imported(
        csv_of([(1, "ana", "2022-05-01T10:00:00Z", "cambio"), (2, "ana", "2022-05-01T10:00:00Z", "petro")])
    )
    assert (await twitter.data("/tweets/1"))["entities"] == ["petro"]
    await twitter.send("PATCH", "/entities/petro", {"aliases": ["Petro"]})
    await matched(twitter, "petro")
    assert (await twitter.data("/tweets/1"))["entities"] == []
    assert (await twitter.data("/tweets/2"))["entities"] == ["petro"]
    await twitter.send("DELETE", "/entities/petro")
    async with asyncio.timeout(60):
        while (await twitter.data("/tweets/2"))["entities"]:
            await asyncio.sleep(0.05)
    assert (await twitter.whole_feed())[-1]["entities"] == []


async def test_entities_created_while_a_file_runs(twitter: Twitter) -> None:
    """An entity that is created in the middle of an import is found in all of the file's tweets."""
    running = asyncio.ensure_future(twitter.imported(numbered(6000, text="habla Petro {}")))
    await asyncio.sleep(0.1)
    await created(twitter, {**PETRO, "aliases": ["Petro"]})
    await running
    await matched(twitter, "petro")
    counts = (await twitter.data("/counts/daily", entity="petro"))["items"]
    assert sum(day["tweets"] for day in counts) == 6000


async def test_authors_of_a_file_stop_at_the_limit_of_entities(start_twitter: Start) -> None:
    """As many of its most active authors as may still be tracked become entities; the others are counted."""
    async with start_twitter(max_entities=3) as twitter:
        await twitter.track("Ana", "Eva")
        done = await twitter.imported(numbered(20), track_authors=True)
        assert (done["entities_created"], done["authors_left_out"]) == (["user0"], 6)
        assert (await twitter.imported(numbered(20), track_authors=True))["entities_created"] == []
        assert len((await twitter.data("/entities"))["items"]) == 3
