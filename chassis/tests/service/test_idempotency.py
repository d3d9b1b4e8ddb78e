"""``Idempotency-Key``: one effect and one answer, with several replicas and when one of them dies."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from castor_chassis import Postgres
from castor_chassis.client.transport import httpx
from castor_chassis.storage.idempotency_repository import TABLE
from castor_chassis.testing import RunningService, TokenIssuer
from small_service import Running, bearer

PATH = "/v1/small/notes"


@dataclass
class Replicas:
    """Two replicas of a service on one database."""

    first: RunningService
    second: RunningService
    postgres: Postgres
    headers: dict[str, str]

    async def post(self, replica: RunningService, key: str, value: int = 1, path: str = PATH) -> httpx.Response:
        headers = {**self.headers, "Idempotency-Key": key}
        return await replica.client.post(path, json={"value": value, "at": None}, headers=headers)

    async def notes(self) -> int:
        return int(await self.postgres.fetchval("SELECT count(*) FROM notes"))


@pytest.fixture
async def replicas(running: Running, issuer: TokenIssuer, postgres_url: str) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        services = [await stack.enter_async_context(running(database_url=postgres_url)) for _ in range(2)]
        postgres = services[0].app.state.chassis.postgres
        for statement in ("DROP TABLE IF EXISTS notes, idempotent_answers", TABLE):
            await postgres.execute(statement)
        await postgres.execute("CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, value int)")
        yield Replicas(*services, postgres, bearer(issuer, "small:write"))


def new_key() -> str:
    return str(uuid.uuid4())


def stalled(service: RunningService) -> tuple[asyncio.Event, asyncio.Event]:
    """Let the route stall before its end; return what tells that it does, and what lets it go on."""
    reached, going_on = asyncio.Event(), asyncio.Event()

    async def before_commit(_: float) -> None:
        reached.set()
        await going_on.wait()

    service.app.state.before_commit = before_commit
    return reached, going_on


async def test_again_is_the_same_answer_and_no_other_effect(replicas: Replicas) -> None:
    """Another replica answers as the first did, and says so; another key, or none, is another note."""
    key = new_key()
    first = await replicas.post(replicas.first, key)
    again = await replicas.post(replicas.second, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    other = await replicas.post(replicas.second, new_key())
    assert other.json()["data"] != first.json()["data"]
    assert await replicas.notes() == 2


async def test_a_key_is_of_one_request(replicas: Replicas, issuer: TokenIssuer) -> None:
    """Another body is refused; fields in another order are the same; another caller has keys of its own."""
    key = new_key()
    first = await replicas.post(replicas.first, key)
    other = await replicas.post(replicas.second, key, value=2)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert other.json()["details"]["fields"][0]["field"] == "header.Idempotency-Key"
    headers = {**replicas.headers, "Idempotency-Key": key, "Content-Type": "application/json"}
    same = await replicas.first.client.post(PATH, content=b'{"at":null, "value" : 1}', headers=headers)
    assert same.json() == first.json()
    stranger = issuer.sign({**issuer.user_claims(["small:write"]), "sub": str(uuid.uuid4())})
    headers = {"Authorization": f"Bearer {stranger}", "Idempotency-Key": key}
    theirs = await replicas.first.client.post(PATH, json={"value": 1}, headers=headers)
    assert theirs.json()["data"] != first.json()["data"]


async def test_a_newer_token_of_the_same_user_is_the_same_caller(replicas: Replicas, issuer: TokenIssuer) -> None:
    """Whoever logs in again, with more rights or in another session, is answered as the first time."""
    key = new_key()
    claims = issuer.user_claims(["small:write"])
    answers = []
    for scopes, replica in ((["small:write"], replicas.first), (["small:read", "small:write"], replicas.second)):
        token = issuer.sign({**issuer.user_claims(scopes), "sub": claims["sub"]})
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        answers.append((await replica.client.post(PATH, json={"value": 1}, headers=headers)).json())
    assert answers[0] == answers[1]
    assert await replicas.notes() == 1


async def test_while_one_is_under_way_another_waits(replicas: Replicas) -> None:
    """The second attempt is 409 and says when to come again; then it has the answer of the first."""
    key = new_key()
    reached, going_on = stalled(replicas.first)
    first = asyncio.ensure_future(replicas.post(replicas.first, key))
    await reached.wait()
    early = await replicas.post(replicas.second, key)
    assert (early.status_code, early.json()["code"]) == (409, "idempotency_in_flight")
    assert early.headers["retry-after"] == "1"
    going_on.set()
    made = await first
    assert (await replicas.post(replicas.second, key)).json() == made.json()
    assert await replicas.notes() == 1


async def test_a_replica_that_dies_leaves_nothing_behind(replicas: Replicas) -> None:
    """It stalls after it wrote, and its connection ends as that of a killed process does; the next attempt counts."""
    key = new_key()
    reached, going_on = stalled(replicas.first)
    first = asyncio.ensure_future(replicas.post(replicas.first, key))
    await reached.wait()
    await replicas.postgres.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND state = 'idle in transaction'"
    )
    made = await replicas.post(replicas.second, key)
    going_on.set()
    assert made.status_code == 201
    assert (await first).status_code == 503
    assert (await replicas.post(replicas.second, key)).json() == made.json()
    assert await replicas.notes() == 1


async def test_a_failure_undoes_what_was_done_and_is_not_kept(replicas: Replicas) -> None:
    """What the route wrote before it refused is gone, and the key can be used again."""
    key = new_key()
    assert (await replicas.post(replicas.first, key, value=500)).status_code == 409
    assert await replicas.notes() == 0
    assert (await replicas.post(replicas.second, key, value=1)).status_code == 201


@pytest.mark.parametrize("key", ["short", "a" * 101, "0123456789 012345"])
async def test_a_key_has_a_form(replicas: Replicas, key: str) -> None:
    """A key that somebody could guess, or that is none, is refused in words."""
    refused = await replicas.post(replicas.first, key)
    assert refused.status_code == 422
    assert "such as a new UUID" in refused.json()["error"]


async def test_answers_are_sealed_and_end_after_a_day(replicas: Replicas) -> None:
    """The database holds neither the key nor the answer; after 24 hours the key is new, and old answers are gone."""
    key = new_key()
    made = await replicas.post(replicas.first, key)
    stored = await replicas.postgres.fetch("SELECT * FROM idempotent_answers")
    assert made.json()["data"]["id"].encode() not in bytes(stored[0]["body"])
    assert key not in repr(stored)
    await replicas.postgres.execute("UPDATE idempotent_answers SET kept_at = now() - interval '24 hours'")
    assert (await replicas.post(replicas.second, new_key())).status_code == 201
    assert await replicas.postgres.fetchval("SELECT count(*) FROM idempotent_answers") == 1
    assert (await replicas.post(replicas.first, key)).json()["data"] != made.json()["data"]


async def test_requests_that_take_long_leave_connections_to_others(replicas: Replicas) -> None:
    """Keys by the dozen, of requests that wait for something, hold a quarter of the pool and no more."""
    service = replicas.first
    reached, going_on = stalled(service)
    notes = [asyncio.ensure_future(replicas.post(service, new_key())) for _ in range(12)]
    await reached.wait()
    while (open_now := await _in_transaction(replicas.postgres)) < 2:
        await asyncio.sleep(0.02)
    free = await asyncio.gather(*(replicas.postgres.fetchval("SELECT 1") for _ in range(20)))
    going_on.set()
    assert (open_now, free) == (2, [1] * 20)
    assert [(await note).status_code for note in notes] == [201] * 12
    assert await replicas.notes() == 12


async def _in_transaction(postgres: Postgres) -> int:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
    return int(await postgres.fetchval(sql))


async def test_other_tasks_of_a_request_use_connections_of_their_own(postgres_url: str) -> None:
    """Only the task that began a transaction works in it; its savepoints undo a failed block alone."""
    postgres = Postgres(postgres_url, size=3, timeout_seconds=10)
    await postgres.open()
    opened = await postgres.begin()
    pid: Any = await postgres.fetchval("SELECT pg_backend_pid()")
    assert await opened.connection.fetchval("SELECT pg_backend_pid()") == pid
    assert await asyncio.create_task(postgres.fetchval("SELECT pg_backend_pid()")) != pid
    with pytest.raises(ZeroDivisionError):
        async with postgres.transaction() as connection:
            await connection.execute("CREATE TABLE gone (n int)")
            raise ZeroDivisionError
    assert await postgres.fetchval("SELECT to_regclass('gone')") is None
    await opened.end(commit=True)
    await postgres.close()
