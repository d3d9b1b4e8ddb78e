"""Counts by entity and axis."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from ..conftest import FIRST_ID, Twitter, csv_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = [
    (1, "ana", "2022-05-02T04:59:59Z", "La economía"),
    (2, "eva", "2022-05-02T05:00:00Z", unicodedata.normalize("NFD", "@ana: la economía y la salud")),
    (3, "ana", "2022-05-02T15:00:00Z", "buenos días"),
    (4, "luis", "2022-05-04T15:00:00Z", "la salud"),
]


def said(days: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int, dict[str, tuple[int, int]]]]:
    """Return by day and entity the tweets, those with an axis, and by axis its tweets and mentions."""
    return {
        (day["date"][-2:], day["entity"]): (
            day["tweets"],
            day["with_axis"],
            {axis["axis"]: (axis["tweets"], axis["mentions"]) for axis in day["axes"]},
        )
        for day in days
    }


async def test_tweets_by_axis_and_bogota_day(twitter: Twitter) -> None:
    """A tweet counts on each axis that it names, whatever its accents are composed of; a day without any is a gap."""
    await twitter.track("Ana", "Luis")
    await twitter.imported(csv_of(ROWS))
    days = (await twitter.data("/counts/axes"))["items"]
    assert said(days) == {
        ("01", "ana"): (1, 1, {"economia": (1, 1)}),
        ("01", "luis"): (0, 0, {}),
        ("02", "ana"): (2, 1, {"economia": (1, 2), "salud": (1, 2)}),
        ("02", "luis"): (0, 0, {}),
        ("03", "ana"): (0, 0, {}),
        ("03", "luis"): (0, 0, {}),
        ("04", "ana"): (0, 0, {}),
        ("04", "luis"): (1, 1, {"salud": (1, 1)}),
    }
    assert [day["gap"] for day in days] == [False] * 4 + [True] * 2 + [False] * 2
    then = (await twitter.data("/counts/axes", entity="ana", as_of="2022-05-02T04:59:59Z"))["items"]
    assert said(then) == {("01", "ana"): (1, 1, {"economia": (1, 1)})}


async def test_an_erased_or_edited_tweet_counts_as_it_is_now(twitter: Twitter) -> None:
    """What was erased is on no axis any more, and a tweet sent twice counts once."""
    await twitter.track("Ana")
    rows = [(FIRST_ID + n, "ana", "2022-05-01T15:00:00Z", text) for n, text in enumerate(("la salud", "la paz"))]
    for _ in range(2):
        await twitter.imported(csv_of(rows))
    assert (await twitter.send("POST", "/erasures", {"ids": [str(FIRST_ID)]})).status_code == 200
    assert said((await twitter.data("/counts/axes"))["items"]) == {("01", "ana"): (1, 1, {"paz": (1, 1)})}


async def test_axes_of_one_data_set(twitter: Twitter) -> None:
    """Only the tweets of the data set count, also for what a gap is; an unknown one or an unknown entity is 404."""
    await twitter.track("Ana")
    await twitter.imported(csv_of([(1, "ana", "2022-05-01T15:00:00Z", "la salud")]), dataset="norte")
    south = [(2, "ana", "2022-05-01T15:00:00Z", "la paz"), (3, "eva", "2022-05-02T15:00:00Z", "la paz")]
    await twitter.imported(csv_of(south), dataset="sur")
    span = {"since": "2022-05-01", "until": "2022-05-02"}
    north = (await twitter.data("/counts/axes", dataset="norte", **span))["items"]
    assert said(north) == {("01", "ana"): (1, 1, {"salud": (1, 1)}), ("02", "ana"): (0, 0, {})}
    assert [day["gap"] for day in north] == [False, True]
    for unknown, code in (({"dataset": "oeste"}, "dataset_not_found"), ({"entity": "nadie"}, "entity_not_found")):
        refused = await twitter.get("/counts/axes", **unknown)
        assert (refused.status_code, refused.json()["code"]) == (404, code)


async def test_pages_hold_whole_days(twitter: Twitter) -> None:
    """Pages hold ten axes a day and entity of the limit, one day at least, and together everything once."""
    await twitter.track("Ana", "Luis")
    await twitter.imported(csv_of(ROWS))
    seen: list[dict[str, Any]] = []
    sizes, cursor = [], {}
    while True:
        answer = (await twitter.get("/counts/axes", limit=40, **cursor)).json()
        seen += answer["data"]["items"]
        sizes.append(len(answer["data"]["items"]))
        if answer["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": answer["meta"]["next_cursor"]}
    assert sizes == [4, 4]
    assert seen == (await twitter.data("/counts/axes"))["items"]
