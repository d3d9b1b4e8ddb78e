"""Rate limits per caller, and without Redis."""

from __future__ import annotations

from pathlib import Path

from castor_chassis.testing import Authority, TokenIssuer
from small_service import Running, bearer


async def test_rate_limit_counts_per_caller(running: Running, issuer: TokenIssuer, redis_url: str) -> None:
    """One caller's surplus is refused with the time to wait; another caller is not touched."""
    greedy, modest = bearer(issuer, "small:read"), bearer(issuer, "small:read")
    async with running(redis_url=redis_url, rate_limit="3/minute") as service:
        answers = [await service.client.get("/v1/small/echo/a", headers=greedy) for _ in range(5)]
        other = await service.client.get("/v1/small/echo/a", headers=modest)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert (answers[-1].headers["ratelimit-limit"], answers[-1].headers["ratelimit-remaining"]) == ("3", "0")
    assert other.status_code == 200


async def test_a_stranger_is_limited_by_address(
    running: Running, authority: Authority, tmp_path: Path, redis_url: str
) -> None:
    """Routes without a token count per address, IPv6 by /64, as the ingress says it; others are not touched."""
    files = authority.write(tmp_path / "ingress", "ingress")
    async with running(client=files, redis_url=redis_url, rate_limit="3/minute") as service:

        async def status(address: str) -> int:
            headers = {"X-Forwarded-For": f"192.0.2.1, {address}"}
            return (await service.client.get("/v1/small/slow", params={"seconds": 0}, headers=headers)).status_code

        assert [await status(f"2001:db8:7:7::{n}") for n in range(1, 6)] == [200, 200, 200, 429, 429]
        assert [await status("2001:db8:7:8::1"), await status("203.0.113.9")] == [200, 200]


async def test_rate_limit_fails_open(running: Running, issuer: TokenIssuer) -> None:
    """Without Redis nobody is limited, and nobody waits long for it."""
    async with running(redis_url="redis://127.0.0.1:1/0", rate_limit="1/minute") as service:
        headers = bearer(issuer, "small:read")
        answers = [await service.client.get("/v1/small/echo/a", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
