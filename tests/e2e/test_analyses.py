"""What trending-service finds reaches the answers of rag-service."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from castor_devstack.testing_system import System

from .test_outages import client_of, until

pytestmark = pytest.mark.timeout(300)
USUAL, RISING = 200, 30


def snowflake(at: datetime) -> int:
    """Return the first id that X gave in a millisecond."""
    return (int(at.timestamp() * 1000) - 1_288_834_974_657) << 22


def place(number: int) -> str:
    """Return a word for a number: texts that differ in digits alone are copies of each other."""
    return "barrio" + "".join(chr(ord("a") + int(digit)) for digit in str(number))


def rows(topic: str) -> dict[str, str]:
    """Return tweets of four weeks by id, and of the last minutes some of as many accounts about a topic."""
    now = datetime.now(UTC)
    usual = [(now - timedelta(hours=3 * n + 7), f"vecina_{n % 40}", f"agua y luz en {place(n)}") for n in range(USUAL)]
    rising = [(now - timedelta(seconds=20 * n + 60), f"voz_{n}", f"#{topic} llega a {place(n)}") for n in range(RISING)]
    return {
        str(snowflake(at) + n): f"{who},{at.isoformat()},{text}" for n, (at, who, text) in enumerate([*usual, *rising])
    }


def test_a_trend_reaches_the_answers(system: System) -> None:
    """A topic that rises now is cited within minutes as an analysis, with its figures, until its tweets are erased."""
    topic = f"Marea{time.time_ns() // 1_000_000}"
    tweets = rows(topic)
    file = "".join(f"{line}\n" for line in ["id,username,created_at,text", *map(",".join, tweets.items())])
    with client_of(system) as client:
        given = {"params": {"track_authors": False}, "headers": {"Content-Type": "text/csv"}}
        imported = client.post("/v1/twitter/imports", content=file.encode(), **given)
        assert imported.json()["data"]["accepted"] == USUAL + RISING, imported.text

        def answer() -> dict[str, Any]:
            data: dict[str, Any] = client.post("/v1/rag/query", json={"question": f"¿Es tendencia {topic}?"}).json()[
                "data"
            ]
            return data

        def analyses() -> list[dict[str, Any]]:
            return [one for one in answer()["citations"] if one["stored_by"] == "service:trending-service"]

        until(lambda: bool(analyses()), 200, "the trend is an analysis")
        (cited,) = analyses()
        assert (cited["origin"], cited["title"]) == ("analysis", f"Tendencia: #{topic}")
        assert re.search(r"\d+ tuits de \d+ cuentas", cited["quote"])
        found = answer()
        assert "(análisis de trending-service, " in found["answer"]
        assert all(name.startswith("tweet:") for position in found["positions"] for name in position["citations"])
        erased = client.post("/v1/twitter/erasures", json={"ids": list(tweets)})
        assert len(erased.json()["data"]["erased"]) == len(tweets)
        until(lambda: not analyses(), 120, "the analysis is erased")
