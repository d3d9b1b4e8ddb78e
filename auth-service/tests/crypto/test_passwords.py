"""Password hashes, also those of the predecessor."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

import argon2
import asyncpg
import pytest

from auth_service.crypto.legacy_hashes import matches_legacy
from auth_service.crypto.password_judge import PasswordJudge
from auth_service.crypto.passwords import Passwords

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "cuatro caballos lentos"
SALT = "q7rQ2xYbN0aKf3Lw"


def scrypt(password: str, parameters: str = "32768:8:1") -> str:
    """Hash as werkzeug 3 does by default."""
    cost, block, lanes = (int(number) for number in parameters.split(":"))
    made = hashlib.scrypt(
        password.encode(), salt=SALT.encode(), n=cost, r=block, p=lanes, maxmem=132 * cost * block * lanes
    )
    return f"scrypt:{parameters}${SALT}${made.hex()}"


def pbkdf2(password: str, method: str = "sha256:1000", rounds: int = 1000) -> str:
    """Hash as werkzeug 1 and 2 did."""
    made = hashlib.pbkdf2_hmac(method.split(":")[0], password.encode(), SALT.encode(), rounds)
    return f"pbkdf2:{method}${SALT}${made.hex()}"


async def test_hashes_of_the_predecessor_verify() -> None:
    """werkzeug's scrypt and pbkdf2 match their password and no other; what cannot be read matches nothing."""
    for stored in (
        scrypt(PASSWORD), scrypt(PASSWORD, "16384:8:1"), pbkdf2(PASSWORD), pbkdf2(PASSWORD, "sha512:2000", 2000),
        pbkdf2(PASSWORD, "sha1:1000"), pbkdf2(PASSWORD, "sha256", 150_000),
    ):  # fmt: skip
        assert matches_legacy(stored, PASSWORD)
        assert not matches_legacy(stored, PASSWORD + " ")
        assert not matches_legacy(stored[:-1] + ("0" if stored[-1] != "0" else "1"), PASSWORD)
    for broken in (
        "", "scrypt:", "pbkdf2:md5:1$a$00", "scrypt:3:8:1$s$" + "0" * 128, "scrypt:9999999:99:99$s$" + "0" * 128,
        "pbkdf2:sha256:0$s$" + "0" * 64, "plain$" + PASSWORD,
    ):  # fmt: skip
        assert not matches_legacy(broken, PASSWORD)


@pytest.mark.parametrize("stored", [scrypt(PASSWORD), pbkdf2(PASSWORD, "sha256:260000", 260_000)])
async def test_a_hash_of_the_predecessor_opens_once_and_becomes_argon2id(
    run_auth: Any, people: Any, database: asyncpg.Connection, stored: str
) -> None:
    """An imported account logs in with its old password, and from then on its hash is ours."""
    async with run_auth() as auth:
        await auth.ready()
        email = people.email()
        await people.register(auth.client, email)
        await database.execute("UPDATE users SET password_hash = $2 WHERE email = $1", email, stored)
        wrong = await auth.client.post("/v1/auth/login", json={"email": email, "password": "not the password"})
        assert wrong.status_code == 401
        for _ in range(2):
            right = await auth.client.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
            assert right.status_code == 200
            kept = await database.fetchval("SELECT password_hash FROM users WHERE email = $1", email)
            assert kept.startswith("$argon2id$")


async def test_the_password_counts_to_the_last_character(run_auth: Any, people: Any) -> None:
    """256 characters of any script are taken as they are: neither case, spaces, accents nor the end are changed."""
    async with run_auth() as auth:
        await auth.ready()
        long = ("Ñandú y Cóndor  " * 16)[:255] + "x"
        email = people.email()
        made = await auth.client.post("/v1/auth/register", json={"email": email, "password": long})
        assert made.status_code == 201, made.text
        for other in (long[:-1], long[:-1] + "y", long.lower(), long.replace("  ", " "), long.replace("ó", "o")):
            answer = await auth.client.post("/v1/auth/login", json={"email": email, "password": other[:256]})
            assert answer.status_code == 401, other
        assert (await auth.client.post("/v1/auth/login", json={"email": email, "password": long})).status_code == 200


@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        ("ñandú-murciélago-cigüeña-7", unicodedata.normalize("NFD", "ñandú-murciélago-cigüeña-7")),
        (unicodedata.normalize("NFD", "ñandú-murciélago-cigüeña-8"), "ñandú-murciélago-cigüeña-8"),
        ("tres\u00a0tristes tigres 9", "tres tristes\u2003tigres 9"),
    ],
)
async def test_a_password_is_one_in_whatever_composition_it_is_typed(
    run_auth: Any, people: Any, chosen: str, typed: str
) -> None:
    """Composed and decomposed letters, and spaces of any width, are one password (RFC 8265)."""
    async with run_auth() as auth:
        await auth.ready()
        email = people.email()
        made = await auth.client.post("/v1/auth/register", json={"email": email, "password": chosen})
        assert made.status_code == 201, made.text
        for password in (chosen, typed):
            answer = await auth.client.post("/v1/auth/login", json={"email": email, "password": password})
            assert answer.status_code == 200, ascii(password)


async def test_a_hash_of_a_decomposed_password_still_verifies(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Hashes that were made before passwords were composed match what was typed then."""
    typed = unicodedata.normalize("NFD", "ñandú-murciélago-cigüeña-7")
    async with run_auth() as auth:
        await auth.ready()
        email = people.email()
        await people.register(auth.client, email)
        stored = argon2.PasswordHasher(1, 1024, 1).hash(typed)
        await database.execute("UPDATE users SET password_hash = $2 WHERE email = $1", email, stored)
        answer = await auth.client.post("/v1/auth/login", json={"email": email, "password": typed})
        assert answer.status_code == 200


async def test_an_old_password_stays_valid(run_auth: Any, people: Any, database: asyncpg.Connection) -> None:
    """A password of ten years ago still logs in: no change is demanded by the calendar."""
    async with run_auth() as auth:
        await auth.ready()
        email = people.email()
        await people.register(auth.client, email)
        old = "UPDATE users SET created_at = now() - interval '10 years', updated_at = now() - interval '10 years'"
        await database.execute(f"{old} WHERE email = $1", email)
        assert (
            await auth.client.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
        ).status_code == 200


@pytest.mark.parametrize("typed", [PASSWORD, "contrasen\u0303a larga", "p"])
async def test_a_login_costs_the_same_hashes_whatever_is_stored(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """No account, a voided password, an unreadable one and a wrong one are each compared with as many hashes."""
    passwords = Passwords(1024, 1, 1, 8, PasswordJudge(5, 8))
    other = await passwords.hash("another password of somebody")
    compared: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        compared.append(stored.rsplit("$", 2)[0])
        return verify(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    work = []
    for stored in (None, "!", "unreadable", other):
        compared.clear()
        assert not await passwords.matches(stored, typed)
        work.append(list(compared))
    await passwords.close()
    assert work[0]
    assert work.count(work[0]) == len(work)
