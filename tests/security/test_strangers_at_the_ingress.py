"""What a stranger without an account can do to everybody else, tried over the ingress of a running system."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack

from castor_chassis.client.transport import httpx
from castor_devstack.testing_system import System
from tests.security.conftest import STRANGER

SLOW_BODIES = 262
"""More than a service has places."""
SLOW_IMPORTS = 2
"""As many as a service takes at a time."""
CSV = {"Content-Type": "text/csv"}


def _wrong_key() -> dict[str, str]:
    return {"Authorization": f"Bearer castor_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"}


def test_five_hurried_requests_with_invented_keys_open_no_breaker(stranger: httpx.Client, honest: httpx.Client) -> None:
    """Whoever has an account is served while a stranger in a hurry invents keys."""
    for _ in range(6):
        answer = stranger.get("/v1/sentiment/model", headers={**_wrong_key(), "X-Request-Timeout-Ms": "2"})
        assert answer.status_code in (401, 504)
    assert honest.get("/v1/auth/me").status_code == 200
    assert honest.post("/v1/sentiment/analyze", json={"texts": ["todo bien"]}).status_code == 200


def test_bodies_that_do_not_come_leave_the_login_to_others(
    system: System, trusted: ssl.SSLContext, honest: httpx.Client
) -> None:
    """262 logins that announce a body and send one byte of it keep nobody out."""
    port = int(system.status()["ingress"].rsplit(":", 1)[1])
    lines = (
        b"POST /v1/auth/login HTTP/1.1",
        b"Host: localhost",
        b"Content-Type: application/json",
        b"Content-Length: 60",
    )
    begun = b"\r\n".join((*lines, b"", b"{"))
    with ExitStack() as stack:
        for _ in range(SLOW_BODIES):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), source_address=(STRANGER, 0)))
            stack.enter_context(trusted.wrap_socket(plain, server_hostname="localhost")).sendall(begun)
        answer = honest.post("/v1/auth/login", json={"email": "nobody@castor.example", "password": "not the password"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


def test_imports_that_trickle_make_room(system: System, trusted: ssl.SSLContext, honest: httpx.Client) -> None:
    """Files that stop coming hold the places of imports as long as a body may wait, not for the time of an import."""
    port = int(system.status()["ingress"].rsplit(":", 1)[1])
    lines = (
        "POST /v1/twitter/imports HTTP/1.1",
        "Host: localhost",
        f"Authorization: {honest.headers['Authorization']}",
        "Content-Type: text/csv",
        "Content-Length: 1000000",
    )
    begun = "\r\n".join((*lines, "", "id,username,created_at,text\n")).encode()

    def is_admitted() -> bool:
        # Without rows it is refused for its content, once there is a place.
        answer = honest.post("/v1/twitter/imports", content=b"id,username,created_at,text\n", headers=CSV)
        assert answer.status_code in (201, 422, 429), answer.text
        return answer.status_code != 429

    with ExitStack() as stack:
        for _ in range(SLOW_IMPORTS):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), source_address=(STRANGER, 0)))
            stack.enter_context(trusted.wrap_socket(plain, server_hostname="localhost")).sendall(begun)
        _within(8, lambda: not is_admitted())  # they have their places now, or, on a machine that stood still, had them
        assert _within(90, is_admitted)


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < ends:
        time.sleep(0.2)
    return met


def test_passwords_that_are_expensive_to_judge_are_judged_cheaply(stranger: httpx.Client, honest: httpx.Client) -> None:
    """The worst password for the estimate of strength is answered, and others are served."""
    body = {"email": "bomb@castor.example", "password": "4@({[<3690!1|75$+%82" * 3 + "4@({[<3690!1"}
    assert stranger.post("/v1/auth/register", json=body).status_code in (201, 202, 422, 429)
    assert honest.get("/v1/auth/me").status_code == 200


def test_service_tokens_are_not_given_out_at_the_ingress(stranger: httpx.Client, honest: httpx.Client) -> None:
    """The token endpoint does not exist from outside, by either name, and asking leaves no trace in the audit log."""
    form = {"grant_type": "client_credentials", "audience": "sentiment-service"}
    for path in ("/v1/auth/token", "/api/v1/auth/token", "/v1/auth/token/"):
        assert stranger.post(path, data=form).status_code == 404
    written = honest.get("/v1/auth/audit", params={"event": "service_token_refused"}).text
    assert '"subject":"ingress"' not in written.replace(" ", "")


def test_wrong_keys_are_refused_before_they_are_looked_up(stranger: httpx.Client, honest: httpx.Client) -> None:
    """After sixty wrong keys in a minute an address is told to wait, whatever it says about where it comes from."""
    headers = {"X-Forwarded-For": "203.0.113.7"}
    statuses = [stranger.get("/v1/sentiment/model", headers={**_wrong_key(), **headers}).status_code for _ in range(80)]
    assert set(statuses) == {401, 429}
    assert statuses[-1] == 429
    assert honest.get("/v1/auth/me").status_code == 200


def test_answers_carry_the_usual_headers(stranger: httpx.Client) -> None:
    """No answer of a service can be framed or sniffed."""
    headers = stranger.get("/v1/auth/jwks").headers
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
