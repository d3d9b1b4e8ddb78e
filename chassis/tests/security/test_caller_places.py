"""One caller from outside does not take all places."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from castor_chassis import Principal
from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, TokenIssuer, until
from small_service import Running, bearer

PATH = "/v1/small/echo/a"
KEY = {"Authorization": f"Bearer castor_{'0' * 16}_{'a' * 43}"}


class KeyOfAna:
    """Knows one API key."""

    async def verify(self, _key: str) -> Principal | None:
        """See ``ApiKeyVerifier``."""
        return Principal("api_key", "ana", frozenset({"small:read"}))


async def test_who_holds_requests_open_leaves_places_to_others(
    running: Running, authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """A quarter of all places is one person's, keys included; another is served, and places come back."""
    ingress = authority.write(tmp_path / "ingress", "ingress")
    waiting, goes_on = 0, asyncio.Event()

    async def wait(_: float) -> None:
        nonlocal waiting
        waiting += 1
        await goes_on.wait()

    ana = {"Authorization": f"Bearer {issuer.sign({**issuer.user_claims(['small:read']), 'sub': 'ana'})}"}
    async with running(client=ingress, max_concurrent_requests=8) as service:
        state = service.app.state
        state.chassis.authenticator = replace(state.chassis.authenticator, api_keys=KeyOfAna())
        state.before_answer = wait
        held = [asyncio.ensure_future(service.client.get(PATH, headers=ana)) for _ in range(2)]

        async def are_held() -> bool:
            return waiting == len(held)

        await until(are_held)
        refused = [await service.client.get(PATH, headers=headers) for headers in (ana, KEY)]
        state.before_answer = asyncio.sleep
        other = await service.client.get(PATH, headers=bearer(issuer, "small:read"))
        goes_on.set()
        ended: list[httpx.Response] = [await each for each in held]
        again = [await service.client.get(PATH, headers=headers) for headers in (ana, KEY)]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(429, "overloaded")] * 2
    assert "You have 2 requests open" in refused[0].json()["error"]
    assert [each.status_code for each in (other, *ended, *again)] == [200] * 5
