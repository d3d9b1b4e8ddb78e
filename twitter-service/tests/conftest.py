"""A running twitter-service on a real database, beside scripted peers on real mTLS ports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis.client.transport import httpx
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, ScriptedPeer, TokenIssuer, run_service, tls_settings
from castor_chassis.testing.peer import Call
from twitter_service.app import create_app
from twitter_service.settings import TwitterSettings

ALL = ["tweets:read", "tweets:write", "entities:write", "feed:read", "counts:read"]
TABLES = (
    "tweets", "tweet_entities", "tweet_raw", "tweet_search", "tweet_versions", "retweets", "authors", "entities",
    "imports", "datasets", "rejudged_texts", "rejudged_targets", "sentiment_versions", "erased_ids",
)  # fmt: skip
FIRST_ID = 1_500_000_000_000_000_000
USER = {
    "id": "7", "username": "fbotero", "created_at": "2012-01-01T00:00:00.000Z", "description": "Hola",
    "verified": False,
    "location": "Medellín", "profile_image_url": "https://pbs.twimg.com/x.jpg",
    "public_metrics": {"followers_count": 1500, "following_count": 500, "tweet_count": 9000},
}  # fmt: skip


def answer_batch(call: Call) -> tuple[int, Any, dict[str, str]]:
    """Score as sentiment-service would on the wire: by the words bien and mal."""
    items = json.loads(call.body)["items"]
    shares = [(0.8, 0.1, 0.1) if "bien" in i["text"] else (0.1, 0.8, 0.1) for i in items]
    results = [
        {"id": i["id"], "positive": p, "neutral": n, "negative": g, "label": "positive" if p > n else "neutral"}
        for i, (p, n, g) in zip(items, shares, strict=True)
    ]
    return 200, {"ok": True, "data": {"results": results, "model": {"id": "words", "version": "1"}}}, {}


def answer_targets(call: Call) -> tuple[int, Any, dict[str, str]]:
    """Judge as sentiment-service would on the wire: a text speaks against the name behind the word contra."""
    against = {"label": "negative", "positive": 0.0, "neutral": 0.1, "negative": 0.9, "basis": "side"}
    results = [
        {
            "id": item["id"],
            "targets": [
                {"target": name, **(against if f"contra {name}" in item["text"] else {"label": "absent"})}
                for name in item["targets"]
            ],
        }
        for item in json.loads(call.body)["items"]
    ]
    return 200, {"ok": True, "data": {"results": results, "model": {"id": "words", "version": "1"}, "rules": "1"}}, {}


TARGETS = "/v1/sentiment/targets"
MODEL = "/v1/sentiment/model"


def answer_model(_call: Call) -> tuple[int, Any, dict[str, str]]:
    """Say which model answers as sentiment-service would on the wire."""
    return 200, {"ok": True, "data": {"id": "words", "version": "1", "rules": "1"}}, {}


PATHS = {"/v1/sentiment/batch": answer_batch, TARGETS: answer_targets, MODEL: answer_model}


@dataclass
class Twitter:
    """The service under test, with a token that may do everything."""

    service: RunningService
    issuer: TokenIssuer
    sentiment: ScriptedPeer
    headers: dict[str, str]

    def of(self, org: str) -> Twitter:
        """Return the same service, used by somebody of another organisation."""
        return replace(self, headers={"Authorization": "Bearer " + self.issuer.user_token(ALL, org=org)})

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """GET below /v1/twitter."""
        return await self.service.client.get(f"/v1/twitter{path}", params=params, headers=self.headers)

    async def data(self, path: str, **params: Any) -> Any:
        """GET, and open the envelope of a success."""
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def track(self, *names: str) -> None:
        """Track candidates by their names and as handles."""
        for name in names:
            body = {"id": name.lower(), "name": name, "kind": "candidate", "handles": [name.lower()]}
            assert (await self.send("POST", "/entities", body)).status_code == 201

    def asked_targets(self) -> list[tuple[str, list[str]]]:
        """Return the ids and targets that the peer was asked for, in order."""
        bodies = [json.loads(call.body) for call in self.sentiment.calls if call.path == TARGETS]
        return [(item["id"], item["targets"]) for body in bodies for item in body["items"]]

    async def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send JSON below /v1/twitter."""
        return await self.service.client.request(method, f"/v1/twitter{path}", json=body, headers=self.headers)

    async def upload(self, content: bytes | str, **params: Any) -> httpx.Response:
        """Send a file; no authors are tracked unless the test says so."""
        data = content.encode() if isinstance(content, str) else content
        params = {"track_authors": False, **params}
        return await self.service.client.post(
            "/v1/twitter/imports", params=params, content=data, headers=self.headers, timeout=60
        )

    async def imported(self, content: bytes | str, **params: Any) -> Any:
        """Send a file that is accepted, and return the import."""
        response = await self.upload(content, **params)
        assert response.status_code == 201, response.text
        return response.json()["data"]

    async def settled(self) -> None:
        """Wait until every tweet is scored, judged towards its entities, and can be found by its words."""
        async with asyncio.timeout(60):
            while not await self._is_settled():
                await asyncio.sleep(0.05)

    async def _is_settled(self) -> bool:
        found = await self.data("/scores/progress")
        return not (found["pending"] or found["targets_pending"] or found["search_behind"])

    async def whole_feed(self, after: int = 0) -> list[dict[str, Any]]:
        """Read the feed to its end in small pages."""
        items: list[dict[str, Any]] = []
        while True:
            response = await self.get("/tweets/feed", after=after, limit=100)
            answer = response.json()
            items += answer["data"]["items"]
            after = int(answer["meta"]["next_cursor"])
            if answer["meta"]["at_end"]:
                return items


def csv_of(rows: Iterable[tuple[int, str, str, str]]) -> str:
    """Return rows (id, username, created_at, text without quotes) as CSV."""
    return "id,username,created_at,text\n" + "".join(f'{i},{u},{at},"{text}"\n' for i, u, at, text in rows)


def numbered(count: int, text: str = "tweet {}", start: int = FIRST_ID) -> str:
    """Return a CSV of ``count`` tweets, a second apart from 2022-05-01T00:00:00Z."""
    rows = (
        (start + n, f"user{n % 7}", f"2022-05-{1 + n // 86400:02}T{_clock(n)}Z", text.format(n)) for n in range(count)
    )
    return csv_of(rows)


def page_of(
    *tweets: dict[str, Any], users: Any = (USER,), retrieved: str = "2026-01-01T00:00:00Z", **includes: Any
) -> str:
    """Return a twarc page of tweets by user 7 as one line."""
    data = [{"author_id": "7", "created_at": "2025-05-01T10:00:00.000Z", "text": "t", **tweet} for tweet in tweets]
    page = {"data": data, "includes": {"users": list(users), **includes}, "__twarc": {"retrieved_at": retrieved}}
    return json.dumps(page, ensure_ascii=False) + "\n"


def _clock(second: int) -> str:
    return f"{second % 86400 // 3600:02}:{second % 3600 // 60:02}:{second % 60:02}"


@pytest.fixture(autouse=True)
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger of X counts by UTC days: midnight waits for the end of the test."""
    monkeypatch.setattr("twitter_service.billing.repository._TODAY", f"SELECT DATE '{datetime.now(UTC):%Y-%m-%d}'")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def migrated(postgres_url: str) -> str:
    """URL of a database with all migrations."""
    await migrate(postgres_url, "twitter_service")
    return postgres_url


@pytest_asyncio.fixture(loop_scope="module")
async def database(migrated: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the same database, without data."""
    connection = await asyncpg.connect(migrated)
    async with connection.transaction():
        await connection.execute("SELECT FROM feed_state FOR UPDATE")
        for table in TABLES:
            await connection.execute(f"DELETE FROM {table}")
        await connection.execute("INSERT INTO sentiment_versions DEFAULT VALUES")
        await connection.execute("UPDATE search_state SET through = 0")
        await connection.execute(
            "UPDATE feed_state SET head = 0, tweets = 0, scored = 0, unscorable = 0, "
            "entity_revision = entity_revision + 1"
        )
    yield connection
    await connection.close()


@asynccontextmanager
async def running_twitter(
    folder: Path, authority: Authority, issuer: TokenIssuer, database: str, **settings: Any
) -> AsyncIterator[Twitter]:
    """Run the service beside an auth-service and a sentiment-service."""
    files = authority.write(folder, "twitter-service")
    auth, sentiment = ScriptedPeer(), ScriptedPeer(routes={**PATHS})
    token = issuer.service_token("twitter-service", "sentiment-service", ["sentiment:analyze"], "x")
    auth.routes["/v1/auth/token"] = lambda _call: (200, {"access_token": token, "expires_in": 300}, {})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(auth.listening(authority.write(folder, "auth-service")))
        await stack.enter_async_context(sentiment.listening(authority.write(folder, "sentiment-service")))
        urls = {"auth_url": auth.url, "sentiment_url": sentiment.url, "database_url": database}
        config = TwitterSettings(**{**tls_settings(files), **urls, **settings})
        app = create_app(config, keys=issuer)
        service = await stack.enter_async_context(run_service(app, config))
        await service.ready()
        headers = {"Authorization": "Bearer " + issuer.user_token(ALL)}
        yield Twitter(service, issuer, sentiment, headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_twitter(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, issuer: TokenIssuer, migrated: str
) -> AsyncIterator[Twitter]:
    """The service with its usual settings, but no rate limit that a fast test would meet."""
    folder = tmp_path_factory.mktemp("twitter")
    async with running_twitter(folder, authority, issuer, migrated, rate_limit="100000/minute") as running:
        yield running


@pytest.fixture
def twitter(database: asyncpg.Connection, shared_twitter: Twitter) -> Twitter:  # noqa: ARG001
    """The module's service, its store empty and its peer in order."""
    sentiment = shared_twitter.sentiment
    sentiment.calls.clear()
    sentiment.script.clear()
    sentiment.gates.clear()
    sentiment.routes.update(PATHS)
    return shared_twitter


Start = Callable[..., AbstractAsyncContextManager[Twitter]]


@pytest.fixture
def start_twitter(
    tmp_path: Path,
    authority: Authority,
    issuer: TokenIssuer,
    migrated: str,
    database: asyncpg.Connection,  # noqa: ARG001
) -> Start:
    """Start a service of one's own, with settings of one's own, on an empty store."""
    return partial(running_twitter, tmp_path, authority, issuer, migrated)
