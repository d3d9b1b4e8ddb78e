"""Views of a frontend that people keep under a name."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg
import pytest

from auth_service.users import saved_views

from ..people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/v1/auth/me/views"


def bearer(person: Person) -> dict[str, str]:
    """Return the header that proves who asks."""
    return {"Authorization": f"Bearer {person.tokens['access_token']}"}


async def names(person: Person, headers: dict[str, str]) -> list[str]:
    """Return the names of one's views."""
    return [each["name"] for each in (await person.client.get(PATH, headers=headers)).json()["data"]["items"]]


async def test_a_name_has_one_view_of_its_owner(person: Person, people: Any) -> None:
    """Saved again under a name, composed or not, the address is replaced; others neither see nor delete it."""
    mine, client = bearer(person), person.client
    await client.post(PATH, json={"name": "Ma\u00f1ana", "address": "#/explorar?q=agua"}, headers=mine)
    again = await client.post(PATH, json={"name": "Man\u0303ana", "address": "#/comparar"}, headers=mine)
    assert again.status_code == 200, again.text
    await client.post(PATH, json={"name": "Agua", "address": "#/"}, headers=mine)
    assert await names(person, mine) == ["Agua", "Ma\u00f1ana"]
    another = await people.administrator_headers(client)
    assert await names(person, another) == []
    view = f"{PATH}/{again.json()['data']['id']}"
    assert (await client.delete(view, headers=another)).json()["code"] == "saved_view_not_found"
    assert (await client.delete(view, headers=mine)).status_code == 200
    assert await names(person, mine) == ["Agua"]
    assert (await client.delete(f"{PATH}/{uuid.uuid4()}", headers=mine)).status_code == 404


async def test_there_are_not_more_than_the_most(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is refused, while one that exists may still change."""
    monkeypatch.setattr(saved_views, "MOST", 1)
    mine, client = bearer(person), person.client
    first = {"name": "Una", "address": "#/"}
    assert (await client.post(PATH, json=first, headers=mine)).status_code == 200
    assert (await client.post(PATH, json={**first, "address": "#/x"}, headers=mine)).status_code == 200
    refused = await client.post(PATH, json={**first, "name": "Dos"}, headers=mine)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_saved_views")


async def test_views_go_with_the_account(person: Person, people: Any, database: asyncpg.Connection) -> None:
    """Erasing an account erases what it kept."""
    await person.client.post(PATH, json={"name": "Una", "address": "#/"}, headers=bearer(person))
    counted = "SELECT count(*) FROM saved_views"
    before = await database.fetchval(counted)
    assert (await person.post("/me/erase", password=people.password)).status_code == 200
    assert await database.fetchval(counted) == before - 1
