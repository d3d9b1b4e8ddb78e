"""Azure's way of addressing."""

from __future__ import annotations

from typing import Any

import pytest
from fake_openai import WORDS, FakeOpenAI, vector
from openai_support import KEY, Run, Sdk

pytestmark = pytest.mark.asyncio(loop_scope="module")


MESSAGES: list[Any] = [{"role": "user", "content": "hola"}]


TEXT = "".join(WORDS)


async def test_azure_is_addressed_by_deployment_with_its_own_header(run: Run, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """Azure gets path, api-version and api-key as it wants them, for answers, streams and embeddings."""
    azure = {
        "name": "azure",
        "kind": "azure",
        "base_url": upstream.url.removesuffix("/v1"),
        "api_version": "2024-10-21",
        "deployments": {"gpt-4o-mini": "mini-prod"},
    }
    async with run(providers=[azure], provider_keys=f'{{"azure": "{KEY}"}}', allow_degraded=False) as service:
        client = sdk(service)
        whole = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        stream = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
        streamed = "".join([c.choices[0].delta.content or "" async for c in stream])
        made = await client.embeddings.create(model="text-embedding-3-small", input=["hola"])
    assert whole.choices[0].message.content == streamed == TEXT
    assert made.data[0].embedding == pytest.approx(vector("hola"))
    deployments = "/openai/deployments"
    assert upstream.paths == [
        f"{deployments}/mini-prod/chat/completions?api-version=2024-10-21",
        f"{deployments}/mini-prod/chat/completions?api-version=2024-10-21",
        f"{deployments}/text-embedding-3-small/embeddings?api-version=2024-10-21",
    ]
    assert upstream.api_keys == [KEY] * 3
