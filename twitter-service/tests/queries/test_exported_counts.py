"""Exports hold the numbers of the API; text is one whatever its composition."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from castor_chassis.context import remaining_seconds

from ..conftest import FIRST_ID, Start, Twitter, csv_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = [
    (FIRST_ID, "eva", "2022-05-01T15:00:00Z", "bien, y contra Ana, con Luis"),
    (FIRST_ID + 1, "eva", "2022-05-01T15:00:00Z", "bien por Ana"),
    (FIRST_ID + 2, "luis", "2022-05-01T15:00:00Z", "hoy"),
]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_sums_of_an_export_are_the_counts(twitter: Twitter, kind: str) -> None:
    """Labels by entity in a file add up to counts/daily, whether they were judged towards the entity or not."""
    await twitter.track("Ana", "Luis")
    await twitter.imported(csv_of(ROWS))
    await twitter.settled()
    body = (await twitter.get("/exports", format=kind)).text
    if kind == "csv":
        pairs = [pair for row in csv.DictReader(io.StringIO(body)) for pair in row["counted_as"].split()]
    else:
        pairs = [pair for line in body.splitlines() for pair in json.loads(line)["counted_as"]]
    items = (await twitter.data("/counts/daily"))["items"]
    counted = {
        f"{one['entity']}:{label}": one[label]
        for one in items
        for label in ("positive", "neutral", "negative")
        if one[label]
    }
    assert Counter(pairs) == counted
    assert counted["ana:negative"] == 1
    assert 0 < sum(one["targeted"] for one in items) < sum(one["scored"] for one in items)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_text_is_composed_at_every_entry(twitter: Twitter, form: str) -> None:
    """Names, aliases, hashtags, queries and headers in either composition are the same words."""

    def written(text: str) -> str:
        return unicodedata.normalize(form, text)

    body = {"id": "raiz", "name": written("Raíz"), "kind": "topic", "aliases": [written("señal útil")],
            "hashtags": [written("EducaciónYa")]}  # fmt: skip
    answer = await twitter.send("POST", "/entities", body)
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert (made["name"], made["aliases"], made["hashtags"]) == ("Raíz", ["señal útil"], ["EducaciónYa"])
    table = f"id,{written('autoría')},created_at,text\n{FIRST_ID},eva,2022-05-01T15:00:00Z,una señal útil\n"
    done = await twitter.imported(table, columns=f"username:{unicodedata.normalize('NFC', 'autoría')}")
    assert done["accepted"] == 1
    await twitter.settled()
    for params in ({"entity": "raiz"}, {"q": written("señal útil")}):
        assert len((await twitter.data("/tweets", **params))["items"]) == 1, params


async def test_an_export_has_a_deadline_of_its_own(start_twitter: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of millions of tweets takes longer than a request may."""

    async def pieces() -> AsyncIterator[str]:
        yield str(remaining_seconds())

    async def export(*_: Any) -> AsyncIterator[str]:
        return pieces()

    monkeypatch.setattr("twitter_service.api.exports.export", export)
    async with start_twitter(export_timeout_seconds=3000) as twitter:
        assert 2000 < float((await twitter.get("/exports")).text) <= 3000
