"""A new version of the sentiment model, through the real sentiment-service, twitter-service and forecast-service."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, ScriptedPeer, TokenIssuer, run_service, tls_settings
from castor_devstack.stack.postgres import EmbeddedPostgres
from forecast_service.app import create_app as create_forecast
from forecast_service.settings import ForecastSettings
from sentiment_service.classifiers.linear import LINEAR_MODEL
from twitter_service.rejudging import worker

from .sentiment_kit import Pair, emptied, thumbprint, twitter_and_sentiment

FIRST_ID = 1_520_000_000_000_000_000
DAY = "2022-05-01"
OPINIONS = ("qué alegría, felicitaciones", "qué asco, qué vergüenza", "me encanta, gracias")


def model(folder: Path, version: str, *, contrary: bool = False) -> str:
    """Write the small model as another version; a contrary one takes praise for blame and blame for praise."""
    shutil.copytree(LINEAR_MODEL, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["version"] = version
    if contrary:
        manifest["labels"] = manifest["labels"][::-1]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return str(folder)


def file() -> str:
    """Return 60 tweets of a day: a third names a candidate, the others are by him."""
    rows = [
        f'{FIRST_ID + n},{"ana" if n % 3 else "petro"},{DAY}T12:00:00Z,"{"Petro" if n % 3 else "Hola"} {n}: {opinion}"'
        for n, opinion in enumerate(OPINIONS * 20)
    ]
    return "id,username,created_at,text\n" + "\n".join(rows) + "\n"


@pytest.fixture
def forecast_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a database of its own for forecast-service."""
    name = f"forecast_{secrets.token_hex(4)}"
    shared_postgres.run_sql(f'CREATE DATABASE "{name}" OWNER castor_test TEMPLATE castor_test')
    yield shared_postgres.url(name, "castor_test", "castor_test")
    shared_postgres.run_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


async def counts(pair: Pair) -> tuple[Any, ...]:
    """Return the day's counts of the candidate, and whose they are."""
    day = (await pair.data("/counts/daily", entity="petro", until=DAY))["items"][0]
    return tuple(day[name] for name in ("scored", "targeted", "positive", "negative", "model"))


@asynccontextmanager
async def forecast(
    folder: Path, authority: Authority, issuer: TokenIssuer, database: str, twitter: RunningService
) -> AsyncIterator[RunningService]:
    """Run forecast-service on the counts of ``twitter``."""
    await migrate(database, "forecast_service")
    files = authority.write(folder, "forecast-service")
    token = issuer.service_token("forecast-service", "twitter-service", ["counts:read"], thumbprint(files))
    auth = ScriptedPeer(routes={"/v1/auth/token": lambda _: (200, {"access_token": token, "expires_in": 300}, {})})
    async with auth.listening(authority.write(folder / "auth", "auth-service")):
        urls = {"auth_url": auth.url, "twitter_url": twitter.url, "database_url": database}
        settings = ForecastSettings(**{**tls_settings(files), **urls})
        async with run_service(create_forecast(settings, keys=issuer), settings) as service:
            await service.ready()
            service.client.headers["Authorization"] = "Bearer " + issuer.user_token(["forecasts:read"])
            yield service


async def test_counts_and_indexes_change_over_at_once(
    tmp_path: Path,
    authority: Authority,
    issuer: TokenIssuer,
    postgres_url: str,
    forecast_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counts are those of the old model until all is judged by the new one, then those of the new; so is the index."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.2)
    await emptied(postgres_url)
    old, new = model(tmp_path / "old", "1"), model(tmp_path / "new", "2", contrary=True)
    settings = {"rejudge_settle_seconds": 0, "target_batch_size": 20}
    async with twitter_and_sentiment(tmp_path, authority, issuer, postgres_url, **settings) as pair:
        petro = {"id": "petro", "name": "Petro", "kind": "candidate", "handles": ["petro"]}
        assert (await pair.twitter.client.post("/v1/twitter/entities", json=petro)).status_code == 201
        await pair.imported(file())
        async with pair.sentiment(old):
            await pair.until(lambda found: not found["pending"] and not found["targets_pending"] and found["model"])
        before = await counts(pair)
        assert before[:2] == (60, 40)
        seen = {before}
        async with pair.sentiment(new):
            while (await pair.data("/scores/progress"))["rejudging"] or seen == {before}:
                seen.add(await counts(pair))
        after = await counts(pair)
        assert seen | {after} == {before, after}
        assert after[-1] == before[-1].replace("@1", "@2")
        assert after[2:4] != before[2:4]
        async with forecast(tmp_path / "f", authority, issuer, forecast_url, pair.twitter) as service:
            asked = {"entity": "petro", "as_of": "2022-05-02T12:00:00Z", "days_back": 1}
            index = (await service.client.get("/v1/forecast/icce", params=asked)).json()["data"]
        assert (index["judged_towards"], index["judged_by_text"]) == (40, 20)
        assert index["items"][0]["isn"] == round((after[2] - after[3]) / 60, 4)
