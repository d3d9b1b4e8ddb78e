"""The service under test on a real mTLS port, with a fake upstream, real PostgreSQL and real Valkey.

Starting a service takes half a second, so most tests of a module share one: ``offline`` or ``online``.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, TokenIssuer, past_full_hour, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from openai_service.app import create_app
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import TransformerEncoder
from openai_service.settings import OpenAISettings

sys.path.append(str(Path(__file__).parent))  # for what the test modules share

from fake_openai import FakeOpenAI
from openai_support import KEY, Run, Sdk


@pytest.fixture(scope="session")
def encoder() -> TransformerEncoder:
    """The transformer that ships."""
    return TransformerEncoder.load()


@pytest.fixture(scope="session")
def fast_encoder() -> StaticEncoder:
    """The static encoder that ships."""
    return StaticEncoder.load()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fake() -> AsyncIterator[FakeOpenAI]:
    """The fake upstream of a module."""
    async with FakeOpenAI().listening() as server:
        yield server


@pytest.fixture
def upstream(fake: FakeOpenAI) -> FakeOpenAI:
    """The fake upstream, reset."""
    fake.reset()
    return fake


@pytest.fixture
def with_upstream(upstream: FakeOpenAI) -> dict[str, Any]:
    """Settings that lead to the fake upstream."""
    return {"openai_base_url": upstream.url, "openai_api_key": KEY}


@pytest.fixture(scope="module")
def files(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """The service's certificate."""
    return authority.write(tmp_path_factory.mktemp("service"), "openai-service")


@pytest.fixture(scope="module")
def caller(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """The certificate of whoever calls: rag-service."""
    return authority.write(tmp_path_factory.mktemp("caller"), "rag-service")


@pytest.fixture(scope="module")
def run(postgres_url: str, redis_url: str, files: TlsFiles, caller: TlsFiles, issuer: TokenIssuer) -> Run:
    """``async with run(setting=value)``: a running openai-service, without an upstream by default."""

    @asynccontextmanager
    async def running(**given: Any) -> AsyncIterator[RunningService]:
        await migrate(postgres_url, "openai_service")
        urls = {"database_url": postgres_url, "redis_url": redis_url}
        base = {**tls_settings(files), **urls, "chat_cache_seconds": 0}
        settings = OpenAISettings(**{**base, **given})
        async with run_service(create_app(settings, keys=issuer), settings, client_files=caller) as service:
            service.client.headers["Authorization"] = f"Bearer {issuer.user_token(['llm:use'])}"
            await service.ready()
            yield service

    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def offline(run: Run) -> AsyncIterator[RunningService]:
    """A service without an upstream."""
    async with run() as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def online(run: Run, fake: FakeOpenAI) -> AsyncIterator[RunningService]:
    """A service with the fake upstream, and a breaker that stays closed."""
    async with run(openai_base_url=fake.url, openai_api_key=KEY, breaker_fail_max=1_000_000) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient(run: Run, fake: FakeOpenAI) -> AsyncIterator[RunningService]:
    """The same for upstreams that never answer: with a short timeout."""
    options = {"openai_timeout_seconds": 4, "breaker_fail_max": 1_000_000}
    async with run(openai_base_url=fake.url, openai_api_key=KEY, **options) as service:
        yield service


@pytest.fixture
def sdk(issuer: TokenIssuer) -> Sdk:
    """Make the official SDK's client of a running service: a base URL, a CASTOR token, and our certificate."""

    def client(service: RunningService) -> AsyncOpenAI:
        token = issuer.user_token(["llm:use"])
        return AsyncOpenAI(
            base_url=f"{service.url}/v1/openai", api_key=token, http_client=service.client, max_retries=0
        )

    return client


@pytest_asyncio.fixture(loop_scope="module")
async def ledger(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the service's database, the ledger empty, and no month that is about to end."""
    await past_full_hour()
    await migrate(postgres_url, "openai_service")
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("TRUNCATE calls, budget_accounts, budget_holds, prompt_erasures")
    yield connection
    await connection.close()
