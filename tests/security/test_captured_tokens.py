"""What a compromised service can do with the credentials that reach it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, RunningService
from castor_chassis.tls import TlsFiles
from tests.security.conftest import log_in, running_auth, running_peer

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "audience": "openai-service",
}


async def scoring(service: RunningService, files: TlsFiles, token: str) -> int:
    """Ask sentiment-service over a certificate with a token, and return the status."""
    async with httpx.AsyncClient(base_url=service.url, verify=files.client_context(), trust_env=False) as client:
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.post("/v1/sentiment/analyze", json={"texts": ["bien"]}, headers=headers)).status_code


async def test_an_administrators_token_captured_at_rag_opens_nothing_elsewhere(
    authority: Authority, postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Over the ingress it is good; over rag-service's certificate neither it nor what it is exchanged for is."""
    strict: dict[str, Any] = {"user_tokens_from": "ingress"}
    rag, ingress = (authority.write(tmp_path / name, name) for name in ("rag-service", "ingress"))
    async with running_auth(authority, postgres_url, redis_url, tmp_path) as auth:
        token = (await log_in(auth))["tokens"]["access_token"]
        async with httpx.AsyncClient(base_url=auth.url, verify=rag.client_context(), trust_env=False) as client:
            answer = await client.post("/v1/auth/token", data={**EXCHANGE, "subject_token": token})
        exchanged = answer.json()["access_token"]
        async with running_peer(authority, auth.url, redis_url, tmp_path, **strict) as sentiment:
            assert await scoring(sentiment, ingress, token) == 200
            for files, captured in ((rag, token), (rag, exchanged), (ingress, exchanged)):
                assert await scoring(sentiment, files, captured) == 401
