"""twitter-service beside the real sentiment-service, which starts when a test says so; both on real mTLS ports."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, ScriptedPeer, TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.ports import PortLeases
from sentiment_service.app import create_app as create_sentiment
from sentiment_service.settings import SentimentSettings
from twitter_service.app import create_app as create_twitter
from twitter_service.settings import TwitterSettings

Message = MutableMapping[str, Any]
SCOPES = ["tweets:read", "tweets:write", "entities:write", "feed:read", "counts:read"]


@dataclass
class Heard:
    """Notes the ids of all items that reach an application, by path."""

    app: Any
    asked: dict[str, list[int]]

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        """Pass a request on, listening to its body."""
        body = bytearray()

        async def listening() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if body and message["type"] == "http.request" and not message.get("more_body"):
                self.asked.setdefault(scope["path"], []).extend(int(item["id"]) for item in json.loads(body)["items"])
            return message

        await self.app(scope, listening if scope["type"] == "http" else receive, send)


@dataclass
class Pair:
    """A running twitter-service, and a sentiment-service that can be started."""

    twitter: RunningService
    issuer: TokenIssuer
    files: TlsFiles
    port: int
    asked: dict[str, list[int]] = field(default_factory=dict)
    """Ids of the items that sentiment-service was asked for, by path."""

    @asynccontextmanager
    async def sentiment(self, model: str = "bundled-fast") -> AsyncIterator[RunningService]:
        """Run the real sentiment-service with its small model, or with the one of a folder."""
        settings = SentimentSettings(**{**tls_settings(self.files), "api_port": self.port, "sentiment_model": model})
        app = create_sentiment(settings, keys=self.issuer)
        app.add_middleware(Heard, asked=self.asked)
        async with run_service(app, settings) as service:
            await service.ready()
            yield service

    async def data(self, path: str, **params: Any) -> Any:
        """GET below /v1/twitter, and open the envelope."""
        answer = await self.twitter.client.get(f"/v1/twitter{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def imported(self, content: str) -> dict[str, Any]:
        """Import a file, and return what became of it."""
        answer = await self.twitter.client.post("/v1/twitter/imports", params={"track_authors": False}, content=content)
        assert answer.status_code == 201, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def until(self, reached: Callable[[dict[str, Any]], bool], seconds: float = 90) -> dict[str, Any]:
        """Wait until the progress of the scores has come so far, and return it."""
        async with asyncio.timeout(seconds):
            while not reached(progress := await self.data("/scores/progress")):
                await asyncio.sleep(0.05)
        assert isinstance(progress, dict)
        return progress

    async def feed(self) -> list[dict[str, Any]]:
        """Return the latest state of every tweet, in the order of their latest changes."""
        items: list[dict[str, Any]] = []
        after = 0
        while True:
            answer = await self.twitter.client.get("/v1/twitter/tweets/feed", params={"after": after, "limit": 1000})
            page = answer.json()
            items += page["data"]["items"]
            after = int(page["meta"]["next_cursor"])
            if page["meta"]["at_end"]:
                return items


@asynccontextmanager
async def twitter_and_sentiment(
    folder: Path, authority: Authority, issuer: TokenIssuer, database: str, **settings: Any
) -> AsyncIterator[Pair]:
    """Run twitter-service; sentiment-service has a port of its own and is not there yet."""
    own, other = authority.write(folder, "twitter-service"), authority.write(folder, "sentiment-service")
    token = issuer.service_token("twitter-service", "sentiment-service", ["sentiment:analyze"], thumbprint(own))
    auth = ScriptedPeer(routes={"/v1/auth/token": lambda _: (200, {"access_token": token, "expires_in": 300}, {})})
    with leased_port() as port:
        async with auth.listening(authority.write(folder, "auth-service")):
            urls = {"auth_url": auth.url, "sentiment_url": f"https://127.0.0.1:{port}", "database_url": database}
            config = TwitterSettings(**{**tls_settings(own), **urls, "breaker_reset_seconds": 1, **settings})
            async with run_service(create_twitter(config, keys=issuer), config) as service:
                await service.ready()
                service.client.headers["Authorization"] = "Bearer " + issuer.user_token(SCOPES)
                yield Pair(service, issuer, other, port)


async def emptied(database: str) -> None:
    """Bring a database up to date, without any tweet."""
    await migrate(database, "twitter_service")
    connection = await asyncpg.connect(database)
    await connection.execute("TRUNCATE tweets, tweet_entities, tweet_search, entities, imports, authors")
    await connection.execute("TRUNCATE rejudged_texts, rejudged_targets, sentiment_versions")
    await connection.execute("INSERT INTO sentiment_versions DEFAULT VALUES")
    await connection.execute("UPDATE feed_state SET head = 0, tweets = 0, scored = 0, unscorable = 0")
    await connection.execute("UPDATE search_state SET through = 0")
    await connection.close()


@contextmanager
def leased_port() -> Iterator[int]:
    """Yield a port that no other test takes, for a service that starts later."""
    leases = PortLeases()
    try:
        yield leases.choose({"later": 0})["later"]
    finally:
        leases.release()


def thumbprint(files: TlsFiles) -> str:
    """Return what a token is bound to the certificate by (RFC 8705)."""
    der = x509.load_pem_x509_certificate(files.certificate.read_bytes()).public_bytes(Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
