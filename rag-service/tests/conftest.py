"""A running rag-service with its peers, all on real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from castor_chassis import Postgres
from castor_chassis.client.transport import httpx
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, ScriptedPeer, TokenIssuer, run_service, tls_settings
from castor_chassis.testing.peer import Answer, Call
from castor_chassis.tls import TlsFiles
from rag_service.app import create_app
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.vector_index_repository import VectorIndexRepository
from rag_service.settings import RagSettings

DIMENSIONS = 8
ALL_SCOPES = ("documents:read", "documents:write", "rag:query")
_MEANINGS = (
    ("hospital", "salud", "médic", "medic", "clínic"),
    ("pension", "pensión", "jubil", "vejez", "retiro"),
    ("petróleo", "crudo", "hidrocarburo", "gas"),
    ("escuela", "educa", "maestro", "colegio", "profesor"),
    ("policía", "seguridad", "delito", "robo"),
    ("impuesto", "tribut", "fiscal"),
    ("tierra", "campesin", "agrari"),
)


def meaning(text: str) -> list[float]:
    """Return a hand-made vector: one axis per subject, so a paraphrase is near without sharing a word."""
    low = text.lower()
    axes = [float(sum(word in low for word in words)) for words in _MEANINGS]
    return [*axes, 0.1]


@dataclass
class FakeOpenAI:
    """What openai-service does, with hand-made vectors and answers; its wire is the real one."""

    peer: ScriptedPeer
    model: str = "hand-made-1"
    version: str | None = None
    earlier: frozenset[str] = frozenset()
    """Models that still answer when they are asked for by name."""
    dimensions: int = DIMENSIONS
    refuses: str | None = None
    down: bool = False
    embedded: list[str] = field(default_factory=list)
    roles: set[tuple[str, str]] = field(default_factory=set)
    write: Callable[[str], str] | None = None
    degraded: list[str] | None = None
    prompts: list[list[dict[str, str]]] = field(default_factory=list)

    def embeddings(self, call: Call) -> Answer:
        """Answer POST /v1/openai/embeddings."""
        request = json.loads(call.body)
        if self.down:
            return 503, {"ok": False, "error": "down", "code": "unavailable"}, {}
        if self.refuses is not None and any(self.refuses in text for text in request["input"]):
            return 422, {"ok": False, "error": "too strange", "code": "validation_error"}, {}
        self.embedded += request["input"]
        self.roles |= {(text, request["input_type"]) for text in request["input"]}
        model = request["model"] if request["model"] in self.earlier else self.model
        # Vectors of the second model do not compare with those of the first.
        turn = -1 if model == "hand-made-2" else 1
        data = [
            {"index": place, "embedding": _packed(meaning(text)[: self.dimensions][::turn])}
            for place, text in enumerate(request["input"])
        ]
        version = {} if self.version is None else {"version": self.version}
        return 200, {"object": "list", "model": model, **version, "data": data[::-1]}, {}

    def chat(self, call: Call) -> Answer:
        """Answer POST /v1/openai/chat/completions."""
        request = json.loads(call.body)
        if self.down or self.write is None:
            return 503, {"ok": False, "error": "down", "code": "unavailable"}, {}
        self.prompts.append(request["messages"])
        content = self.write(request["messages"][-1]["content"])
        message = {"role": "assistant", "content": content}
        return 200, {"choices": [{"index": 0, "message": message}], "degraded": self.degraded}, {}


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


@dataclass
class FakeFeed:
    """The tweet feed of twitter-service, without the waiting."""

    peer: ScriptedPeer
    items: list[dict[str, Any]] = field(default_factory=list)

    def add(self, tweet_id: str, text: str, **fields: Any) -> None:
        """Append a change."""
        item = {
            "seq": len(self.items) + 1,
            "id": tweet_id,
            "username": "ana",
            "created_at": "2022-05-10T12:00:00Z",
            "text": text,
            "entities": ["petro"],
            "lang": "es",
            "deleted": False,
            "sentiment": None,
        }
        self.items.append({**item, **fields})

    def page(self, call: Call) -> Answer:
        """Answer GET /v1/twitter/tweets/feed."""
        after, limit = int(call.query["after"]), int(call.query["limit"])
        items = [item for item in self.items if item["seq"] > after][:limit]
        cursor = str(items[-1]["seq"] if items else after)
        return 200, {"ok": True, "data": {"items": items}, "meta": {"next_cursor": cursor}}, {}


@dataclass
class World:
    """The service under test and those around it."""

    service: RunningService
    openai: FakeOpenAI
    feed: FakeFeed
    issuer: TokenIssuer
    headers: dict[str, str]
    caller: TlsFiles
    """The certificate with which it is called, as by another service."""

    def token(self, scopes: list[str]) -> str:
        """Return a user's token."""
        return self.issuer.user_token(scopes)

    async def eventually(self, check: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
        """Return the first true answer of ``check``."""
        return await eventually(check, seconds)

    async def metrics(self) -> str:
        """Return what Prometheus would read."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return str((await client.get(self.service.management_url + "/metrics")).text)

    async def cursor_is(self, cursor: str) -> bool:
        """Whether the feed is followed up to ``cursor``."""
        return bool((await self.call("GET", "/v1/rag/status"))["data"]["cursor"] == cursor)

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Call the service as a user who may do everything; return the parsed answer."""
        response: httpx.Response = await self.service.client.request(method, path, json=body, headers=self.headers)
        assert response.status_code == status, response.text
        return response.json()

    async def upload(self, *documents: dict[str, Any], **common: Any) -> Any:
        """Store documents; return what the service says of it."""
        rows = [{"source": "programa", **common, **document} for document in documents]
        answer = await self.call("POST", "/v1/rag/documents", {"documents": rows}, status=201)
        return answer["data"]

    async def indexed(self) -> dict[str, Any]:
        """Wait until nothing is pending; return the status."""

        async def done() -> Any:
            status = (await self.call("GET", "/v1/rag/status"))["data"]
            return status if status["pending"] == 0 and status["documents"] else None

        found: dict[str, Any] = await eventually(done)
        return found


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """Return the first true answer of ``check``."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        found = await check()
        if found:
            return found
        await asyncio.sleep(0.03)
    raise AssertionError(f"did not happen within {seconds} s")


@pytest.fixture
async def migrated(postgres_url: str) -> str:
    """A database with the schema and without rows."""
    await migrate(postgres_url, "rag_service")
    postgres = Postgres(postgres_url)
    await postgres.open()
    # Deleting a few rows is quicker than giving every partition and index a new file.
    for table in ("documents", "embedding_space", "feed_cursors"):
        await postgres.execute(f"DELETE FROM {table}")
    # Row level security would let nobody delete these row by row.
    await postgres.execute(
        "TRUNCATE tenant_documents, erasures, conversations, conversation_turns, turn_citations, files"
    )
    await postgres.close()
    return postgres_url


@pytest.fixture
async def postgres(migrated: str) -> AsyncIterator[Postgres]:
    """An open pool on an empty store."""
    pool = Postgres(migrated)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
def documents(postgres: Postgres) -> DocumentRepository:
    """The documents."""
    return DocumentRepository(postgres)


@pytest.fixture
def embeddings(postgres: Postgres) -> EmbeddingRepository:
    """Their embeddings."""
    return EmbeddingRepository(postgres)


@pytest.fixture
def searches(postgres: Postgres) -> SearchRepository:
    """The searches; beyond 50 candidates they are approximate."""
    return SearchRepository(postgres, dimensions=DIMENSIONS, exact_rows=50)


@pytest.fixture
def indexes(postgres: Postgres) -> VectorIndexRepository:
    """The vector indexes; a partition needs one from 51 vectors on."""
    return VectorIndexRepository(postgres, dimensions=DIMENSIONS, exact_rows=50)


@pytest.fixture
def unheard_openai() -> FakeOpenAI:
    """openai-service's embeddings, on no port yet."""
    openai = FakeOpenAI(ScriptedPeer())
    openai.peer.routes["/v1/openai/embeddings"] = openai.embeddings
    return openai


@pytest.fixture
async def peers(
    authority: Authority, issuer: TokenIssuer, tmp_path: Path
) -> AsyncIterator[tuple[FakeOpenAI, FakeFeed]]:
    """openai-service, twitter-service and auth-service, all at one address."""
    peer = ScriptedPeer()
    openai, feed = FakeOpenAI(peer), FakeFeed(peer)
    token = issuer.service_token("rag-service", "any", ["llm:use", "feed:read"], "thumbprint")
    peer.routes["/v1/auth/token"] = lambda _: (200, {"access_token": token, "expires_in": 300}, {})
    peer.routes["/v1/openai/embeddings"] = openai.embeddings
    peer.routes["/v1/openai/chat/completions"] = openai.chat
    peer.routes["/v1/twitter/tweets/feed"] = feed.page
    async with peer.listening(authority.write(tmp_path, "openai-service")):
        yield openai, feed


@pytest.fixture
async def world(
    migrated: str,
    authority: Authority,
    issuer: TokenIssuer,
    tmp_path: Path,
    peers: tuple[FakeOpenAI, FakeFeed],
) -> AsyncIterator[World]:
    """A running service on an empty store, its breakers quick to try again."""
    openai, feed = peers
    settings = RagSettings(
        **tls_settings(authority.write(tmp_path, "rag-service")),
        database_url=migrated,
        auth_url=openai.peer.url,
        openai_url=openai.peer.url,
        twitter_url=openai.peer.url,
        embedding_dimensions=DIMENSIONS,
        embedding_batch=16,
        feed_page_size=3,
        feed_wait_seconds=0,
        index_check_seconds=0.2,
        breaker_reset_seconds=0.2,
        peer_attempts=1,
        query_embedding_timeout_seconds=8,
    )
    files = authority.write(tmp_path, "twitter-service")
    async with run_service(create_app(settings, keys=issuer), settings, client_files=files) as service:
        await service.ready()
        headers = {"Authorization": f"Bearer {issuer.user_token(ALL_SCOPES)}"}
        yield World(service, openai, feed, issuer, headers, files)
