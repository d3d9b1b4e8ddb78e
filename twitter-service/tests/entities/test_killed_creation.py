"""An Idempotency-Key whose replica is killed between what it wrote and its answer."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import asyncpg
import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, replica, tls_settings, until
from twitter_service.settings import TwitterSettings

from ..conftest import ALL

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/twitter/entities"
BODY = {"id": "ana", "name": "Ana", "kind": "candidate"}
NOBODY = "https://127.0.0.1:9"


async def test_a_creation_repeated_after_kill_9_is_one_creation(
    tmp_path: Path, authority: Authority, migrated: str, database: asyncpg.Connection
) -> None:
    """The killed attempt leaves nothing; the next replica creates once, and answers a third attempt the same."""
    caller = authority.write(tmp_path, "twitter-service")
    settings = {
        **tls_settings(caller), "database_url": migrated, "auth_url": NOBODY, "sentiment_url": NOBODY,
    }  # fmt: skip
    key, user = {"Idempotency-Key": str(uuid.uuid4())}, str(uuid.uuid4())

    async def waits_to_keep_its_answer() -> bool:
        return bool(
            await database.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'idempotent_answers'::regclass"
            )
        )

    async with replica(TwitterSettings, settings, ALL, caller=caller, user=user) as dying:
        async with database.transaction():
            await database.execute("LOCK TABLE idempotent_answers IN EXCLUSIVE MODE")
            call = asyncio.ensure_future(dying.client.post(PATH, json=BODY, headers=key))
            await until(waits_to_keep_its_answer, 60)
            await dying.kill()
        with pytest.raises(httpx.TransportError):
            await call
    async with replica(TwitterSettings, settings, ALL, caller=caller, user=user) as successor:
        made: list[httpx.Response] = []

        async def is_made() -> bool:
            # 409 as long as PostgreSQL has not noticed that the first caller is gone.
            made.append(await successor.client.post(PATH, json=BODY, headers=key))
            return made[-1].status_code == 201

        await until(is_made, 60)
        again = await successor.client.post(PATH, json=BODY, headers=key)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        assert again.json() == made[-1].json()
        assert "idempotency-replayed" not in made[-1].headers
        assert {answer.json()["code"] for answer in made[:-1]} <= {"idempotency_in_flight"}
    assert await database.fetchval("SELECT count(*) FROM entities") == 1
