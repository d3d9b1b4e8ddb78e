"""Failed authentications are limited by address, at every route, whatever the credentials."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from castor_chassis import RateLimited
from castor_chassis.client.transport import httpx
from castor_chassis.security.failed_authentications import FailedAuthentications
from castor_chassis.testing import Authority, TokenIssuer
from castor_chassis.tls import TlsFiles
from small_service import Running

READ = "/v1/small/echo/a"


def _wrong_key() -> str:
    return f"castor_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"


async def _statuses(client: httpx.AsyncClient, address: str, *credentials: str) -> list[int]:
    found = []
    for each in credentials:
        headers = {"Authorization": f"Bearer {each}", "X-Forwarded-For": address}
        found.append((await client.get(READ, headers=headers)).status_code)
    return found


@pytest.fixture
def ingress(authority: Authority, tmp_path: Path) -> TlsFiles:
    return authority.write(tmp_path / "ingress", "ingress")


async def test_wrong_credentials_are_refused_before_they_are_verified(
    running: Running, ingress: TlsFiles, issuer: TokenIssuer
) -> None:
    """After three failures of a /64 nothing new is verified for it; other addresses are served."""
    good, forged = issuer.user_token(("small:read",)), issuer.user_token(("small:read",))[:-8] + "AAAAAAAA"
    async with running(client=ingress, failed_authentications="3/minute") as service:
        address = "2001:db8:1:2::{}"
        failed = await _statuses(service.client, address.format(1), forged, "no token", forged)
        limited = await _statuses(service.client, address.format(2), forged, good)
        elsewhere = await _statuses(service.client, "2001:db8:1:3::1", good)
        headers = {"X-Forwarded-For": address.format(3)}
        public = await service.client.get("/v1/small/slow", params={"seconds": 0}, headers=headers)
    assert (failed, limited, elsewhere) == ([401] * 3, [429, 429], [200])
    assert (public.status_code, public.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(public.headers["retry-after"]) <= 60


async def test_whoever_was_right_before_is_not_shut_out(
    running: Running, ingress: TlsFiles, issuer: TokenIssuer
) -> None:
    """Credentials that were right before work on, while others behind the same address guess."""
    good = issuer.user_token(("small:read",))
    async with running(client=ingress, failed_authentications="3/minute") as service:
        found = await _statuses(service.client, "203.0.113.7", good, *["wrong"] * 5, good)
    assert found == [200, 401, 401, 401, 429, 429, 200]


async def test_a_missing_or_expired_token_is_no_guess(running: Running, ingress: TlsFiles, issuer: TokenIssuer) -> None:
    """Only what was wrong counts: a page that was open overnight does not shut its user out."""
    expired = issuer.user_token(("small:read",), lifetime_seconds=-60)
    async with running(client=ingress, failed_authentications="3/minute") as service:
        for _ in range(5):
            assert (await service.client.get(READ)).status_code == 401
        found = await _statuses(service.client, "127.0.0.1", *[expired] * 5, issuer.user_token(("small:read",)))
    assert found == [401] * 5 + [200]


async def test_services_are_not_limited(running: Running, issuer: TokenIssuer) -> None:
    """A service that sends wrong tokens, its user's perhaps, keeps its access."""
    async with running(failed_authentications="3/minute") as service:
        found = await _statuses(service.client, "203.0.113.7", *["wrong"] * 5, issuer.user_token(("small:read",)))
    assert found == [401] * 5 + [200]


async def test_an_address_cannot_be_invented(
    running: Running, authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """Only the ingress says where a request comes from: another certificate is known by its connection."""
    laptop = authority.write(tmp_path / "laptop", "laptop")
    good = issuer.user_token(("small:read",))
    async with running(client=laptop, failed_authentications="3/minute") as service:
        found = [(await _statuses(service.client, f"203.0.113.{n}", "wrong"))[0] for n in range(4)]
        found += await _statuses(service.client, "203.0.113.9", good)
    assert found == [401, 401, 401, 429, 429]


def test_the_count_begins_anew_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window ends by itself; of very many addresses the oldest are forgotten."""
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    failures = FailedAuthentications("2/minute")
    for _ in range(2):
        failures.admit("203.0.113.7")
        failures.count("203.0.113.7")
    with pytest.raises(RateLimited):
        failures.admit("203.0.113.7")
    now += 61
    failures.admit("203.0.113.7")
    for number in range(30_000):
        failures.count(f"address {number}")
    assert len(failures._windows) == 20_000
