"""What a thief can do to an account, and one user to the others, tried over the ingress of a running system."""

from __future__ import annotations

import csv
import io
import json
import secrets
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from castor_chassis.client.transport import httpx
from castor_devstack.testing_system import System
from tests.security.conftest import ingress_client

NEXT = "otra clave bien larga de cambiar"
LOGINS = 4
"""At once, beside a change of the password: while they are verified they count as failed, and the sixth would wait."""
SPOOFED = {"source": "twitter\u200b", "author": "candidata"}
FORMULA = '=HYPERLINK("http://x.invalid","ver")'


@dataclass(frozen=True)
class Owner:
    """Somebody whose account is attacked."""

    client: httpx.Client
    email: str
    password: str

    def log_in(self) -> httpx.Response:
        """Log in with the password that the account had at first."""
        return self.client.post("/v1/auth/login", json={"email": self.email, "password": self.password})

    def change_password(self) -> httpx.Response:
        """Set the next password."""
        body = {"current_password": self.password, "new_password": NEXT}
        return self.client.post("/v1/auth/me/password", json=body)


@pytest.fixture
def owner(system: System, trusted: ssl.SSLContext) -> Iterator[Owner]:
    """Somebody with a new account, from an address whose logins are limited apart from those of other tests."""
    email = f"duena-{secrets.token_hex(6)}@castor.example"
    with ingress_client(system, trusted, "127.0.0.3") as client:
        token = system.castor("token", "--user", email).stdout.strip()
        client.headers["Authorization"] = f"Bearer {token}"
        yield Owner(client, email, system.castor("password", "--user", email).stdout.strip())


def test_logins_that_race_a_new_password_leave_no_session(owner: Owner) -> None:
    """Whoever logs in with the old password while it changes is refused, or has a session that ends with it."""
    with ThreadPoolExecutor(LOGINS + 1) as pool:
        entering = [pool.submit(owner.log_in) for _ in range(LOGINS)]
        changed = pool.submit(owner.change_password).result()
        entered = [login.result() for login in entering]
    assert changed.status_code == 200, changed.text
    assert {answer.status_code for answer in entered} <= {200, 401, 429}
    sessions = [answer.json()["data"]["tokens"] for answer in entered if answer.status_code == 200]
    for tokens in sessions:
        refreshed = owner.client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert refreshed.status_code == 401, refreshed.text
    assert owner.log_in().status_code in (401, 429)


def test_a_change_of_address_ends_with_the_password_that_asked_for_it(system: System, owner: Owner) -> None:
    """The token that a thief had sent to an address of his own is worth nothing once the owner changed the password."""
    theirs = f"ladron-{secrets.token_hex(6)}@castor.example"
    asked = owner.client.post("/v1/auth/me/email", json={"password": owner.password, "new_email": theirs})
    assert asked.status_code == 202, asked.text
    token = _mailed(system, theirs)
    assert owner.change_password().status_code == 200
    answer = owner.client.post("/v1/auth/email/confirm", json={"token": token})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_one_time_token")


def _mailed(system: System, address: str) -> str:
    """Return the token that was sent to an address; a stack for development writes it to its log."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        for entry in system.log("auth-service"):
            if entry.get("to") == address and entry.get("one_time"):
                return str(entry["one_time"])
        time.sleep(0.2)
    raise AssertionError(f"nothing was sent to {address}")


def test_nobody_puts_words_into_an_accounts_mouth(honest: httpx.Client) -> None:
    """A document cannot pose as a tweet, and a tweet cannot be taken out of the index, by whatever name."""
    for document in ({"id": "discurso", **SPOOFED}, {"id": "TWEET:1", "source": "programa"}):
        body = {"documents": [{**document, "text": "Yo nunca dije esto."}]}
        answer = honest.post("/v1/rag/documents", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "reserved_id")
    for name in ("tweet:1", "TWEET:1", "tweet%3A1"):
        assert honest.delete(f"/v1/rag/documents/{name}").status_code == 403


def test_an_export_runs_no_formula(honest: httpx.Client) -> None:
    """What somebody wrote on X stays text in the spreadsheet of whoever exports it."""
    dataset = f"formulas-{secrets.token_hex(4)}"
    tweet = {"id": str(time.time_ns()), "username": "luz", "created_at": "2022-05-01T10:00:00Z", "text": FORMULA}
    stored = honest.post(
        "/v1/twitter/imports",
        params={"dataset": dataset},
        content=json.dumps(tweet).encode(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert stored.status_code == 201, stored.text
    exported = honest.get("/v1/twitter/exports", params={"format": "csv", "dataset": dataset})
    (row,) = csv.DictReader(io.StringIO(exported.text))
    assert row["text"] == f"'{FORMULA}"


@pytest.mark.parametrize(
    "moment", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z", "9999-12-31"]
)
def test_no_end_of_the_calendar_breaks_a_route(honest: httpx.Client, moment: str) -> None:
    """The first and the last moment are answered or refused, never with a server error."""
    paths = ("forecast/icce", "forecast/momentum", "trending/topics", "twitter/counts/daily", "twitter/tweets")
    for path in paths:
        for name in ("as_of", "since", "until"):
            answer = honest.get(f"/v1/{path}?{name}={quote(moment)}&entity=nadie")
            assert answer.status_code < 500, f"{path} {name}: {answer.text}"


def test_a_user_reaches_nothing_of_other_accounts(honest: httpx.Client, owner: Owner) -> None:
    """Accounts, keys and sessions of others are unknown to a user without the scope, and so are the internal routes."""
    them = honest.get("/v1/auth/me").json()["data"]["id"]
    for method, path in (
        ("GET", f"/v1/auth/users/{them}"), ("POST", f"/v1/auth/users/{them}/end-sessions"),
        ("GET", "/v1/auth/audit"), ("GET", "/v1/auth/organisations"),
    ):  # fmt: skip
        assert owner.client.request(method, path).status_code == 403, path
    for path in (f"/internal/user/{them}", f"/v1/auth/..%2f..%2finternal/user/{them}", f"//internal/user/{them}"):
        assert owner.client.get(path).status_code == 404, path
