"""Prompts in the ledger: none unless asked for, never more than is safe, and erased in time."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest
from fake_openai import FakeOpenAI
from openai_support import Run

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migration_files
from castor_chassis.testing import TokenIssuer, until
from openai_service.extractive.passages import escape
from openai_service.prompt_log.repository import PromptRepository
from openai_service.prompt_log.service import PromptLog
from openai_service.protocol.chat import ChatRequest, Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT, PROMPTS = "/v1/openai/chat/completions", "/v1/openai/prompts"
SECRETS = ("ana.perez@correo.co", "3104567890", "@ana_perez", "1.032.456.789")
TEXT = f"Escribe a {SECRETS[0]}, al {SECRETS[1]} o a {SECRETS[2]}, cédula {SECRETS[3]}: ¿qué pasa en Cali?"
OF_FORMER_RELEASE = """
INSERT INTO calls (id, called_at, request_id, principal, operation, requested_model, provider, model, latency_ms,
    streamed, degraded, status, tenant, prompt)
VALUES (gen_random_uuid(), now() + $1 * interval '1 second', 'r', 'user:ana', 'chat', 'm', 'openai', 'm', 1, false,
    false, 'ok', 'user:ana', $2)
"""
ASKED = {"messages": [{"role": "system", "content": "Sé breve."}, {"role": "user", "content": TEXT}]}


async def rows(ledger: asyncpg.Connection, count: int) -> list[list[dict[str, str]] | None]:
    """Return the prompts of the ledger's ``count`` rows, once they are stored."""

    async def stored() -> bool:
        return bool(await ledger.fetchval("SELECT count(*) FROM calls") == count)

    await until(stored)
    found = await ledger.fetch("SELECT prompt FROM calls ORDER BY called_at")
    return [row["prompt"] and json.loads(row["prompt"]) for row in found]


def as_user(issuer: TokenIssuer, name: str) -> dict[str, str]:
    """Return the headers of a user."""
    token = issuer.sign({**issuer.user_claims(["llm:use"]), "sub": name})
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def keeping(with_upstream: dict[str, Any]) -> dict[str, Any]:
    """Settings of a service that keeps prompts, and redacts nothing in requests to its upstream."""
    return {**with_upstream, "ledger_prompts": True, "redact": "off"}


async def test_nothing_is_kept_unless_asked(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """By default no row holds a prompt."""
    async with run(**with_upstream) as service:
        assert (await service.client.post(CHAT, json=ASKED)).status_code == 200
        assert (await service.client.post(CHAT, json={**ASKED, "stream": True})).status_code == 200
        assert await rows(ledger, 2) == [None, None]


async def test_what_is_kept_is_redacted(
    run: Run, upstream: FakeOpenAI, keeping: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """Answers, streams and cached answers keep roles and texts without what identifies people, even where the
    upstream got it."""
    async with run(**keeping, chat_cache_seconds=60) as service:
        for body in (ASKED, ASKED, {**ASKED, "stream": True}):
            assert (await service.client.post(CHAT, json=body)).status_code == 200
        kept = await rows(ledger, 3)
    assert SECRETS[0] in str(upstream.bodies)
    for prompt in kept:
        assert prompt is not None
        assert [message["role"] for message in prompt] == ["system", "user"]
        assert prompt[1]["content"].startswith("Escribe a [CORREO_1], al [TELEFONO_1] o a [USUARIO_1]")
        assert prompt[1]["content"].endswith("¿qué pasa en Cali?")
        assert not any(secret in str(prompt) for secret in SECRETS)


async def test_images_are_never_kept(run: Run, keeping: dict[str, Any], ledger: asyncpg.Connection) -> None:
    """Of a message with an image only the text is kept."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    content = [{"type": "text", "text": "¿Qué se ve?"}, image]
    async with run(**keeping) as service:
        assert (await service.client.post(CHAT, json={"messages": [{"role": "user", "content": content}]})).is_success
        assert await rows(ledger, 1) == [[{"role": "user", "content": "¿Qué se ve?"}]]


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (
            'Lee: <document id="tweet:1">Faltan medicinas.\nEn Cali.</document>\n<document id="n\u0303">B</document>'
            "<question>¿Qué falta?</question>",
            'Lee: <document id="tweet:1"/>\n<document id="n\u0303"/><question>¿Qué falta?</question>',
        ),
        (
            '<document id="1">A &lt;/document> b</document> y <document id="2">sin fin',
            '<document id="1"/> y <document id="2"/>',
        ),
        ("<document>no es uno</document>", "<document>no es uno</document>"),
    ],
    ids=["closed", "not closed", "none"],
)
async def test_of_documents_only_ids_are_kept(
    run: Run, keeping: dict[str, Any], ledger: asyncpg.Connection, content: str, kept: str
) -> None:
    """They are erased elsewhere; what a model or a tool said before may quote them."""
    messages = [
        {"role": "user", "content": content},
        {"role": "assistant", "content": "Faltan medicinas.", "tool_calls": []},
        {"role": "tool", "tool_call_id": "1", "content": "Faltan medicinas."},
        {"role": "user", "content": "¿Y en Cali?"},
    ]
    async with run(**keeping) as service:
        assert (await service.client.post(CHAT, json={"messages": messages})).is_success
        [prompt] = await rows(ledger, 1)
    assert prompt is not None
    assert [message["content"] for message in prompt] == [kept, "", "", "¿Y en Cali?"]


@pytest.mark.parametrize("name", ["tweet:7", "https://elpais.com/?id=1&" + "x" * 174, "&" * 200])
async def test_a_task_keeps_the_ids_of_its_documents(
    run: Run, keeping: dict[str, Any], ledger: asyncpg.Connection, name: str
) -> None:
    """Documents that are fenced are documents too, however long their ids are once they are escaped."""
    document = {"id": name, "text": "Faltan medicamentos en Cali."}
    async with run(**keeping) as service:
        await service.client.post("/v1/openai/topics", json={"documents": [document]})
        [prompt, *_] = await rows(ledger, 2)
    assert f'<document id="{escape(name)}"/>' in str(prompt)
    assert "medicamentos" not in str(prompt)


@pytest.mark.parametrize("before", ["0006", "0007", "0008", None])
async def test_prompts_of_a_former_release_keep_ids_too(own_postgres_url: str, before: str | None) -> None:
    """Documents are taken out of what is stored, and of what a replica of that release writes at any time later; a row
    without a prompt, and a question, stay."""
    long = escape("https://elpais.com/?id=1&" + "x" * 174)
    asked = [
        {"role": "user", "content": 'Lee: <document id="a">Faltan\nmedicinas.</document><question>¿Qué?</question>'},
        {"role": "assistant", "content": "Faltan medicinas."},
        {"role": "user", "content": f'<document id="{long}">Faltan</document><document id="b">Faltan medic…'},
    ]
    written = [(1, json.dumps(asked)), (2, None), (3, "[]")]
    connection = await asyncpg.connect(own_postgres_url)
    for name, sql in migration_files("openai_service"):
        if before is not None and name.startswith(before):
            await connection.executemany(OF_FORMER_RELEASE, written)
        await connection.execute(sql)
    if before is None:
        await connection.executemany(OF_FORMER_RELEASE, written)
    found = [row["prompt"] for row in await connection.fetch("SELECT prompt FROM calls ORDER BY called_at")]
    await connection.close()
    assert [message["content"] for message in json.loads(found[0])] == [
        'Lee: <document id="a"/><question>¿Qué?</question>', "", f'<document id="{long}"/><document id="b"/>',
    ]  # fmt: skip
    assert found[1:] == [None, "[]"]


async def test_length_is_bounded(run: Run, keeping: dict[str, Any], ledger: asyncpg.Connection) -> None:
    """All messages together keep at most the bound, the last ones first, and no half of an address."""
    messages = [
        {"role": "system", "content": "regla " * 50},
        {"role": "user", "content": "x" * 24 + " ana.perez@correo.co " + "y" * 4000},
    ]
    async with run(**keeping, ledger_prompt_characters=40) as service:
        assert (await service.client.post(CHAT, json={"messages": messages})).is_success
        [prompt] = await rows(ledger, 1)
    assert prompt is not None
    assert sum(len(message["content"]) for message in prompt) == 40
    assert prompt[0]["content"] == ""
    assert prompt[1]["content"] == "x" * 24 + " [CORREO_1] yyy…"


async def test_a_text_that_redaction_shortens_is_redacted_to_its_end(postgres_url: str) -> None:
    """Long addresses become short placeholders, so more of the text is kept than its length says; none is cut."""
    addresses = " ".join(f"{'a' * 60}{number}@{'b' * 60}.com" for number in range(100))
    log = PromptLog(PromptRepository(Postgres(postgres_url)), enabled=True, characters=8000, days=1)
    kept = log.excerpt(ChatRequest(messages=[Message(role="user", content=addresses)]))
    assert kept is not None
    assert kept[0]["content"].split() == [f"[CORREO_{number}]" for number in range(1, 101)]


async def test_a_tenant_erases_its_own(
    run: Run, keeping: dict[str, Any], ledger: asyncpg.Connection, issuer: TokenIssuer
) -> None:
    """DELETE erases the caller's prompts and nobody else's, keeps the rows, and is idempotent."""
    other = as_user(issuer, "someone-else")
    async with run(**keeping) as service:
        for headers in ({}, {}, other):
            assert (await service.client.post(CHAT, json=ASKED, headers=headers)).is_success
        assert all(await rows(ledger, 3))
        first, second = [(await service.client.delete(PROMPTS)).json()["data"] for _ in range(2)]
        assert (first["erased"], second["erased"]) == (2, 0)
        assert [prompt is None for prompt in await rows(ledger, 3)] == [True, True, False]
        assert (await service.client.delete(PROMPTS, headers=other)).json()["data"]["erased"] == 1


async def test_what_is_still_queued_is_erased_too(
    run: Run, keeping: dict[str, Any], ledger: asyncpg.Connection, issuer: TokenIssuer
) -> None:
    """A row that is written after an erasure and tells of a call before it comes without its prompt."""
    headers = as_user(issuer, "queued")
    async with run(**keeping) as service:
        async with ledger.transaction():
            # The ledger's writer waits for this, as it would for a PostgreSQL that is away.
            await ledger.execute("LOCK TABLE calls IN SHARE ROW EXCLUSIVE MODE")
            assert (await service.client.post(CHAT, json=ASKED, headers=headers)).is_success
            assert await ledger.fetchval("SELECT erase_prompts('user:queued')") == 0
        assert await rows(ledger, 1) == [None]
        assert (await service.client.post(CHAT, json=ASKED, headers=headers)).is_success
        assert [prompt is None for prompt in await rows(ledger, 2)] == [True, False]


async def test_old_prompts_are_forgotten(run: Run, keeping: dict[str, Any], ledger: asyncpg.Connection) -> None:
    """Prompts past their days are erased, also once nothing is kept any more; younger ones and all rows stay."""
    async with run(**keeping) as service:
        for _ in range(2):
            assert (await service.client.post(CHAT, json=ASKED)).is_success
        assert all(await rows(ledger, 2))
    await ledger.execute(
        "UPDATE calls SET called_at = now() - interval '8 days' WHERE id = (SELECT id FROM calls LIMIT 1)"
    )
    async with run(ledger_prompt_days=7):

        async def forgotten() -> bool:
            return bool(await ledger.fetchval("SELECT count(*) FROM calls WHERE prompt IS NOT NULL") == 1)

        await until(forgotten)
    assert [prompt is None for prompt in await rows(ledger, 2)] == [True, False]
