"""Pages and spans of every list."""

from __future__ import annotations

from typing import Any

import pytest

from ..conftest import Twitter, csv_of, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def pages(twitter: Twitter, path: str, **params: Any) -> list[list[Any]]:
    """Return the items of each page of a list."""
    found, meta = [], {"next_cursor": None}
    while not found or meta["next_cursor"]:
        answer = (await twitter.get(path, **params, **({"cursor": meta["next_cursor"]} if found else {}))).json()
        found.append(answer["data"]["items"])
        meta = answer["meta"]
    return found


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/tweets", "id"),
        ("/imports", "started_at"),
        ("/entities", "id"),
        ("/datasets", "name"),
        ("/counts/daily", "date"),
    ],
)
async def test_joined_pages_are_the_whole(twitter: Twitter, path: str, order: str) -> None:
    """Each list in pages of one (counts: of one day) is the list as a whole, in its order."""
    await twitter.track("ana", "eva")
    for number in range(3):
        rows = [(900 + number, "ana", f"2022-05-0{number + 1}T12:00:00Z", "Ana y Eva")]
        await twitter.imported(csv_of(rows), dataset=f"d{number}")
    await twitter.settled()
    (whole,) = await pages(twitter, path)
    parts = await pages(twitter, path, limit=1)
    assert [item for part in parts for item in part] == whole
    assert len(parts) == len({item[order] for item in whole}) >= 2


async def test_a_cursor_of_another_list_is_refused(twitter: Twitter) -> None:
    """The sentence says what to do."""
    await twitter.imported(numbered(3))
    cursor = (await twitter.get("/tweets", limit=1)).json()["meta"]["next_cursor"]
    refused = await twitter.get("/tweets", limit=1, cursor=cursor, author="ana")
    assert refused.status_code == 422
    assert "another query" in refused.json()["error"]


async def test_days_and_moments_bound_lists_and_counts(twitter: Twitter) -> None:
    """A day of Bogota is the span between its midnights, whichever form it has."""
    times = ("2022-05-28T04:59:59Z", "2022-05-28T05:00:00Z", "2022-05-29T04:59:59Z", "2022-05-29T05:00:00Z")
    await twitter.imported(csv_of([(number, "ana", at, "t") for number, at in enumerate(times, 11)]))
    day = {"since": "2022-05-28", "until": "2022-05-28"}
    moments = {"since": "2022-05-28T05:00:00Z", "until": "2022-05-29T00:00:00-05:00"}
    for span in (day, moments):
        assert [tweet["id"] for tweet in (await twitter.data("/tweets", **span))["items"]] == ["13", "12"]
        assert (await twitter.data("/counts/total", **span))["tweets"] == 2
        assert len((await twitter.get("/exports", **span)).text.splitlines()) == 2
    assert (await twitter.data("/imports", until="2020-01-01"))["items"] == []
    for path in ("/tweets", "/counts/daily", "/counts/total", "/exports", "/imports", "/searches"):
        refused = await twitter.get(path, since="2022-05-29", until="2022-05-28")
        assert refused.status_code == 422, (path, refused.text)
        assert refused.json()["details"]["fields"][0]["field"] == "query.until"
