"""Limits on logins: guessing is slowed down, nobody is locked out, stuffing is reported."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLOW = {"throttle_free_attempts": 3, "throttle_first_seconds": 60, "throttle_free_attempts_per_address": 1000}


async def _log_in(
    auth: RunningService, email: str, password: str, address: str, agent: str = "browser"
) -> httpx.Response:
    headers = {"X-Forwarded-For": address, "User-Agent": agent}
    return await auth.client.post("/v1/auth/login", json={"email": email, "password": password}, headers=headers)


async def _register(auth: RunningService, people: Any, address: str, agent: str = "browser") -> str:
    email = people.email()
    headers = {"X-Forwarded-For": address, "User-Agent": agent}
    body = {"email": email, "password": people.password}
    answer = await auth.client.post("/v1/auth/register", json=body, headers=headers)
    assert answer.status_code == 201
    return str(email)


async def test_guessing_is_slowed_and_the_owner_is_not_locked_out(run_auth: Any, people: Any) -> None:
    """From many addresses guesses end in 429 with Retry-After; the device that logged in before is let in at once."""
    async with run_auth(**SLOW) as auth:
        await auth.ready()
        email = await _register(auth, people, "198.51.100.1")
        guesses = [await _log_in(auth, email, "not the password", f"203.0.113.{n}") for n in range(5)]
        assert [guess.status_code for guess in guesses] == [401, 401, 401, 429, 429]
        assert guesses[3].json()["code"] == "too_many_attempts"
        assert 1 <= int(guesses[3].headers["retry-after"]) <= 61
        assert (await _log_in(auth, email, people.password, "203.0.113.77")).status_code == 429
        assert (await _log_in(auth, email, people.password, "198.51.100.1")).status_code == 200


async def test_an_unknown_address_is_slowed_like_a_known_one(run_auth: Any, people: Any) -> None:
    """Delays come after as many failures whether or not there is an account."""
    async with run_auth(**SLOW) as auth:
        await auth.ready()
        known, unknown = await _register(auth, people, "198.51.100.2"), people.email()
        for email in (known, unknown):
            answers = [await _log_in(auth, email, "not the password", "203.0.113.5") for _ in range(4)]
            assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_the_right_password_is_let_in_after_the_delay(run_auth: Any, people: Any) -> None:
    """From a new device the owner waits as told, then enters; the refused attempt did not lengthen the wait."""
    async with run_auth(**{**SLOW, "throttle_first_seconds": 4, "throttle_longest_seconds": 4}) as auth:
        await auth.ready()
        email = await _register(auth, people, "198.51.100.3")
        for _ in range(3):
            await _log_in(auth, email, "not the password", "203.0.113.6")
        early = await _log_in(auth, email, people.password, "192.0.2.9")
        assert early.status_code == 429
        await asyncio.sleep(int(early.headers["retry-after"]))
        assert (await _log_in(auth, email, people.password, "192.0.2.9")).status_code == 200


async def test_attempts_that_come_too_early_for_an_account_do_not_count_at_the_address(
    run_auth: Any, people: Any
) -> None:
    """Somebody whose account a stranger keeps delayed does not use up the failures of the office."""
    async with run_auth(**{**SLOW, "throttle_free_attempts_per_address": 4}) as auth:
        await auth.ready()
        delayed, colleague = (
            await _register(auth, people, "198.51.100.5"),
            await _register(auth, people, "198.51.100.6"),
        )
        for number in range(3):
            await _log_in(auth, delayed, "not the password", f"203.0.113.{20 + number}")
        retries = [await _log_in(auth, delayed, people.password, "192.0.2.10") for _ in range(6)]
        assert {retry.status_code for retry in retries} == {429}
        assert (await _log_in(auth, colleague, people.password, "192.0.2.10")).status_code == 200


async def test_simultaneous_guesses_gain_nothing(run_auth: Any, people: Any) -> None:
    """Thirty guesses at once: as many are judged as in a row."""
    async with run_auth(**SLOW) as auth:
        await auth.ready()
        email = people.email()
        answers = await asyncio.gather(*(_log_in(auth, email, "not the password", "203.0.113.8") for _ in range(30)))
        assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 27


async def test_one_address_that_tries_many_accounts_is_slowed_and_reported(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Stuffing from one address is refused, counted, and audited once; a neighbour who is known gets in."""
    before = await database.fetchval("SELECT count(*) FROM audit_events WHERE event = 'stuffing_suspected'")
    limits = {"throttle_free_attempts_per_address": 8, "stuffing_accounts_per_address": 4, "throttle_first_seconds": 60}
    async with run_auth(**limits) as auth:
        await auth.ready()
        neighbour = await _register(auth, people, "203.0.113.9")
        answers = [await _log_in(auth, people.email(), "not the password", "203.0.113.9") for _ in range(10)]
        assert [answer.status_code for answer in answers] == [401] * 8 + [429] * 2
        assert (await _log_in(auth, neighbour, people.password, "203.0.113.9")).status_code == 200
        async with httpx.AsyncClient(trust_env=False) as plain:
            text = (await plain.get(f"{auth.management_url}/metrics")).text
    assert 'castor_auth_stuffing_total{kind="many_accounts_from_address"}' in text
    assert 'castor_auth_throttled_total{bucket="address"}' in text
    events = await database.fetch("SELECT details FROM audit_events WHERE event = 'stuffing_suspected'")
    assert len(events) == before + 1


async def test_many_addresses_on_one_account_are_reported(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Guesses at one account from many addresses leave an event of their kind."""
    async with run_auth(stuffing_addresses_per_account=4) as auth:
        await auth.ready()
        email = people.email()
        for n in range(7):
            await _log_in(auth, email, "not the password", f"203.0.113.{100 + n}")
    kinds = await database.fetch("SELECT details->>'kind' AS kind FROM audit_events WHERE event = 'stuffing_suspected'")
    assert [row["kind"] for row in kinds].count("many_addresses_on_account") == 1


async def test_the_owner_is_told_of_a_login_after_failures(run_auth: Any, mailbox: Any, people: Any) -> None:
    """A success after three failures on the account sends its owner a word."""
    async with run_auth(notifier="smtp", smtp_url=mailbox.url) as auth:
        await auth.ready()
        email = await _register(auth, people, "198.51.100.4")
        for _ in range(3):
            await _log_in(auth, email, "not the password", "203.0.113.10")
        assert (await _log_in(auth, email, people.password, "203.0.113.11")).status_code == 200
        assert "intentos fallidos" in (await mailbox.next(email))["Subject"]


async def test_names_of_buckets_are_blinded(run_auth: Any, people: Any, redis_url: str) -> None:
    """The buckets name neither e-mail addresses nor addresses of callers in clear, and every key ends by itself."""
    async with run_auth() as auth:
        await auth.ready()
        email = people.email()
        await _log_in(auth, email, "not the password", "203.0.113.12")
    redis = Redis.from_url(redis_url)
    keys = [key.decode() async for key in redis.scan_iter(match="castor:*auth-throttle*")]
    assert keys
    assert not [key for key in keys if email in key or "203.0.113.12" in key]
    assert all([await redis.ttl(key) > 0 for key in keys])
    await redis.aclose()


async def test_without_redis_each_replica_slows_guessing_by_itself(
    run_auth: Any, people: Any, redis_server: Any
) -> None:
    """With Redis stopped guesses still end in 429, right passwords from a known device enter, and a metric says so."""
    async with run_auth(**SLOW) as auth:
        await auth.ready()
        email = await _register(auth, people, "198.51.100.5")
        redis_server.stop()
        guesses = [await _log_in(auth, email, "not the password", "203.0.113.13") for _ in range(4)]
        assert [guess.status_code for guess in guesses] == [401, 401, 401, 429]
        assert (await _log_in(auth, email, people.password, "198.51.100.5")).status_code == 200
        async with httpx.AsyncClient(trust_env=False) as plain:
            text = (await plain.get(f"{auth.management_url}/metrics")).text
    counted = [line for line in text.splitlines() if line.startswith("castor_auth_throttle_local_total ")]
    assert float(counted[0].split()[1]) > 0
