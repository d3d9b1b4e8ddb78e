"""A tweet that its author deleted disappears from every service that stored it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from castor_chassis.client.transport import httpx
from castor_devstack.testing_system import System

from .test_outages import client_of, until

pytestmark = pytest.mark.timeout(300)
COUNT, ERASED = 40, 15
SNOWFLAKE_OF_THAT_HOUR = 1_634_000_000_000_000_000  # 2023-03-10


def in_trending(client: httpx.Client, tag: str) -> int:
    """Return how many tweets trending-service knows with a hashtag."""
    asked = {"as_of": "2023-03-11T00:00:00Z", "step": "hour", "before": 47}
    answer = client.get(f"/v1/trending/topics/%23{tag}/timeline", params=asked)
    return 0 if answer.status_code == 404 else sum(one["tweets"] for one in answer.json()["data"]["buckets"])


def documents(client: httpx.Client, ids: list[int]) -> list[int]:
    """Return those of these tweets that rag-service has as documents."""
    return [key for key in ids if client.get(f"/v1/rag/documents/tweet:{key}").status_code == 200]


def found(client: httpx.Client, word: str) -> set[str]:
    """Return the ids of the documents that a search for a word finds."""
    answer = client.post("/v1/rag/search", json={"query": word, "limit": 50})
    hits: list[dict[str, Any]] = [hit["document"] for hit in answer.json()["data"]["items"]]
    return {hit["id"] for hit in hits if word in hit["text"]}


def test_erased_everywhere(system: System) -> None:
    """Erased tweets leave trending-service's counts and rag-service's documents and search; their neighbours stay."""
    stamp = time.time_ns() // 1_000_000
    tag, first = f"borrable{stamp}", SNOWFLAKE_OF_THAT_HOUR + stamp % 10_000_000 * 1_000
    ids = [first + n for n in range(COUNT)]
    rows = "".join(
        f"{key},autora_{n},2023-03-10T15:{n:02}:00Z,relato número {n} de la vereda {n * 7} sobre #{tag}\n"
        for n, key in enumerate(ids)
    )
    with client_of(system) as client:
        file = ("id,username,created_at,text\n" + rows).encode()
        asked = {"track_authors": False}
        answer = client.post("/v1/twitter/imports", params=asked, content=file, headers={"Content-Type": "text/csv"})
        assert answer.json()["data"]["accepted"] == COUNT, answer.text
        until(lambda: in_trending(client, tag) == COUNT, 120, "trending-service has all of them")
        until(lambda: documents(client, ids) == ids, 120, "rag-service has all of them")
        assert found(client, tag)
        gone, left = ids[:ERASED], ids[ERASED:]
        erased = client.post("/v1/twitter/erasures", json={"ids": [str(key) for key in gone]})
        assert erased.json()["data"]["erased"] == [str(key) for key in gone]
        until(lambda: in_trending(client, tag) == COUNT - ERASED, 120, "trending-service has erased them")
        until(lambda: documents(client, ids) == left, 120, "rag-service has erased them")
        assert found(client, tag) <= {f"tweet:{key}" for key in left}
        assert client.get(f"/v1/twitter/tweets/{gone[0]}").status_code == 404
