"""A new version of the sentiment model: counts change over from one version to the other at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from castor_chassis.testing import until
from castor_chassis.testing.peer import Call
from twitter_service.rejudging import worker

from ..conftest import FIRST_ID, MODEL, TARGETS, Start, Twitter, csv_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
Answer = tuple[int, Any, dict[str, str]]
BATCH = "/v1/sentiment/batch"
AT_ONCE = {"rejudge_settle_seconds": 0, "target_batch_size": 5, "breaker_fail_max": 1000}
TWEETS = 23
DAY = "2022-05-01"


class Model:
    """A sentiment-service whose every answer is one label; it answers ``after`` calls, and not the text ``refused``."""

    def __init__(self, version: str, label: str) -> None:
        self.version = version
        self.label = label
        self.after: int | None = None
        self.refused: str | None = None
        self.asked = 0

    def install(self, twitter: Twitter) -> None:
        """Let it answer from now on."""
        twitter.sentiment.routes.update({BATCH: self._of(self._text), TARGETS: self._of(self._targets)})
        named = {"id": "words", "version": self.version, "rules": "1"}
        twitter.sentiment.routes[MODEL] = lambda _: (200, {"ok": True, "data": named}, {})

    @property
    def name(self) -> str:
        return f"words@{self.version}+rules1"

    def _of(self, result: Callable[[Any], dict[str, Any]]) -> Callable[[Call], Answer]:
        def answer(call: Call) -> Answer:
            if self.after is not None and self.asked >= self.after:
                return 503, {"ok": False, "error": "busy", "code": "overloaded"}, {}
            if self.refused is not None and self.refused.encode() in call.body:
                return 422, {"ok": False, "error": "not this", "code": "validation_error"}, {}
            self.asked += 1
            data = {
                "results": [{"id": item["id"], **result(item)} for item in json.loads(call.body)["items"]],
                "model": {"id": "words", "version": self.version},
                "rules": "1",
            }
            return 200, {"ok": True, "data": data}, {}

        return answer

    def _shares(self) -> dict[str, Any]:
        return {"positive": 0.2, "neutral": 0.2, "negative": 0.2, self.label: 0.6, "label": self.label}

    def _text(self, _item: Any) -> dict[str, Any]:
        return self._shares()

    def _targets(self, item: Any) -> dict[str, Any]:
        return {"targets": [{"target": name, **self._shares(), "basis": "model"} for name in item["targets"]]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(worker, "BUSY_SECONDS", 0.02)


def tweets(count: int = TWEETS, start: int = 0) -> str:
    """Return tweets that name Petro, and as many that he wrote without naming anybody."""
    rows = [(FIRST_ID + start + n, "ana", f"{DAY}T10:00:00Z", f"Petro número {start + n}") for n in range(count)]
    own = [(FIRST_ID + 1000 + start + n, "petro", f"{DAY}T11:00:00Z", f"tarde {start + n}") for n in range(count)]
    return csv_of([*rows, *own])


async def labels(twitter: Twitter) -> dict[str, Any]:
    """Return what the counts of Petro's day say."""
    day = (await twitter.data("/counts/daily", entity="petro", until=DAY))["items"][0]
    names = ("tweets", "scored", "targeted", "positive", "negative", "model")
    return {name: day[name] for name in names}


async def counted_with(twitter: Twitter, model: Model) -> None:
    """Wait until counts use this model and everything is in place."""

    async def is_there() -> bool:
        progress = await twitter.data("/scores/progress")
        return bool(progress["model"] == model.name and progress["rejudging"] is None)

    await until(is_there)


async def begin(twitter: Twitter, model: Model, posts: str) -> None:
    """Track Petro and import ``posts``, until all are judged by ``model`` and counted."""
    model.install(twitter)
    await twitter.track("Petro")
    await twitter.imported(posts)
    await twitter.settled()
    await counted_with(twitter, model)


def all_of(model: Model, count: int = TWEETS) -> dict[str, Any]:
    """Return what counts say where every tweet has this model's label."""
    sums = {"positive": 0, "negative": 0, model.label: 2 * count}
    return {"tweets": 2 * count, "scored": 2 * count, "targeted": count, "model": model.name, **sums}


async def test_counts_are_of_one_version_at_any_moment(start_twitter: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a new version takes over, counts are wholly of the old one or wholly of the new; feed and export follow."""
    monkeypatch.setattr(worker, "REPLACED_AT_A_TIME", 2)
    old, new = Model("1", "negative"), Model("2", "positive")
    async with start_twitter(**AT_ONCE) as twitter:
        await begin(twitter, old, tweets())
        assert await labels(twitter) == all_of(old)
        seq = (await twitter.whole_feed())[-1]["seq"]
        new.install(twitter)
        seen: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while (
                (await twitter.data("/scores/progress"))["rejudging"] is not None or not seen or seen[-1] == all_of(old)
            ):
                seen.append(await labels(twitter))
        seen.append(await labels(twitter))
        assert [one for one in seen if one not in (all_of(old), all_of(new))] == []
        assert (seen[0], seen[-1]) == (all_of(old), all_of(new))
        await counted_with(twitter, new)
        assert (await twitter.data("/counts/total"))["models"] == ["words@2"]
        changed = [item for item in await twitter.whole_feed(seq) if item["sentiment"]["label"] == "positive"]
        assert len({item["id"] for item in changed}) == 2 * TWEETS
        exported = (await twitter.get("/exports", format="jsonl")).text.splitlines()
        assert {tuple(json.loads(line)["counted_as"]) for line in exported} == {("petro:positive",)}


async def test_it_is_resumed_and_the_old_answers_stand_meanwhile(
    start_twitter: Start, database: asyncpg.Connection
) -> None:
    """A service stopped in the middle goes on where it was: nothing is asked twice, and the old answers count."""
    old, new = Model("1", "negative"), Model("2", "positive")
    new.after = 4
    async with start_twitter(**AT_ONCE) as twitter:
        await begin(twitter, old, tweets())
        new.install(twitter)

        async def is_stuck() -> bool:
            progress = (await twitter.data("/scores/progress"))["rejudging"]
            return bool(progress and progress["judged"] == 20)

        await until(is_stuck)
        assert await labels(twitter) == all_of(old)
    new.after = None
    async with start_twitter(**AT_ONCE) as twitter:
        new.install(twitter)
        await counted_with(twitter, new)
        assert await labels(twitter) == all_of(new)
        texts = [item["id"] for c in twitter.sentiment.calls if c.path == BATCH for item in json.loads(c.body)["items"]]
        assert len(texts) == len(set(texts)) == 2 * TWEETS - 20
    assert (
        await database.fetchval(
            "SELECT (SELECT count(*) FROM rejudged_texts) + (SELECT count(*) FROM rejudged_targets)"
        )
        == 0
    )


async def test_a_tweet_of_the_new_version_counts_with_the_others(start_twitter: Start) -> None:
    """A tweet that the new version scores while the old one counts has its sentiment at once, and counts later."""
    old, new = Model("1", "negative"), Model("2", "positive")
    async with start_twitter(**AT_ONCE) as twitter:
        await begin(twitter, old, tweets())
        twitter.sentiment.routes.update({BATCH: new._of(new._text), TARGETS: new._of(new._targets)})
        await twitter.imported(tweets(5, start=500))
        await twitter.settled()
        assert (await twitter.data(f"/tweets/{FIRST_ID + 500}"))["sentiment"]["label"] == "positive"
        assert await labels(twitter) == all_of(old) | {"tweets": 2 * TWEETS + 10}
        new.install(twitter)
        await counted_with(twitter, new)
        assert await labels(twitter) == all_of(new, TWEETS + 5)


async def test_a_rollout_that_is_taken_back(start_twitter: Start) -> None:
    """When the old version returns before the new one is done, what the new one judged is dropped and judged again."""
    old, new = Model("1", "negative"), Model("2", "positive")
    new.after = 3
    async with start_twitter(**AT_ONCE) as twitter:
        await begin(twitter, old, tweets())
        new.install(twitter)

        async def has_begun() -> bool:
            return (await twitter.data("/scores/progress"))["rejudging"] is not None

        await until(has_begun)
        old.install(twitter)
        await counted_with(twitter, old)
        assert await labels(twitter) == all_of(old)


async def test_a_text_that_the_new_version_refuses(start_twitter: Start) -> None:
    """A text that the new version will not score counts as not scored from then on, and is unscorable."""
    old, new = Model("1", "negative"), Model("2", "positive")
    async with start_twitter(**AT_ONCE) as twitter:
        await begin(twitter, old, csv_of([(FIRST_ID + n, "petro", f"{DAY}T10:00:00Z", f"tarde {n}") for n in range(4)]))
        new.refused = "tarde 2"
        new.install(twitter)
        await counted_with(twitter, new)
        assert await labels(twitter) == {
            "tweets": 4, "scored": 3, "targeted": 0, "positive": 3, "negative": 0, "model": new.name,
        }  # fmt: skip
        progress = await twitter.data("/scores/progress")
        assert (progress["scored"], progress["unscorable"], progress["pending"]) == (3, 1, 0)


async def test_an_edit_and_an_erasure_meanwhile(start_twitter: Start, database: asyncpg.Connection) -> None:
    """A tweet that is edited meanwhile has the sentiment of its new text; an erased one leaves nothing."""
    old, new = Model("1", "negative"), Model("2", "positive")
    history = [str(FIRST_ID + 1), str(FIRST_ID + 2)]
    first = {"id": history[0], "username": "ana", "created_at": f"{DAY}T10:00:00Z", "text": "Petro uno"}
    async with start_twitter(**AT_ONCE) as twitter:
        other = {**first, "id": str(FIRST_ID + 7), "text": "Petro"}
        await begin(twitter, old, json.dumps(first) + "\n" + json.dumps(other))
        new.after = 1
        new.install(twitter)

        async def texts_are_judged() -> bool:
            return bool(await database.fetchval("SELECT count(*) = 2 FROM rejudged_texts"))

        await until(texts_are_judged)
        edited = {**first, "id": history[1], "text": "Petro dos", "edit_history_tweet_ids": history}
        await twitter.imported(json.dumps(edited))
        assert (await twitter.send("POST", "/erasures", {"ids": [str(FIRST_ID + 7)]})).status_code == 200
        assert await database.fetchval("SELECT count(*) FROM rejudged_texts") == 1
        new.after = None
        await twitter.settled()
        await counted_with(twitter, new)
        assert await labels(twitter) == {
            "tweets": 1, "scored": 1, "targeted": 1, "positive": 1, "negative": 0, "model": new.name,
        }  # fmt: skip
