"""Users' tokens between services: exchanged for one peer, and refused from a service that captured them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from castor_chassis import PeerUnavailable, Principal
from castor_chassis.client.peer import Reply
from castor_chassis.security.peer_tokens import UserTokens
from castor_chassis.testing import Authority, TokenIssuer, run_service, thumbprint_of, tls_settings
from small_service.app import SmallSettings, create_app

PATH = "/v1/small/echo/a"


class Exchanges:
    """Stands where the client of auth-service does; counts, waits and fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.is_away = False
        self.kinds: set[str] = set()

    async def request(self, _method: str, path: str, *, form: dict[str, str], idempotent: bool) -> Reply:
        assert (path, idempotent) == ("/v1/auth/token", True)
        self.asked.append((form["subject_token"], form["audience"]))
        self.kinds.add(form["subject_token_type"])
        await asyncio.sleep(0)
        if self.is_away:
            raise PeerUnavailable(peer="auth-exchange", reason="down")
        return Reply(200, {"access_token": f"{form['subject_token']}@{form['audience']}", "expires_in": 300}, {}, {})


async def test_a_token_is_exchanged_once_for_each_peer() -> None:
    """A hundred simultaneous calls cause one exchange, later ones none; another peer gets a token of its own."""
    auth = Exchanges()
    tokens = UserTokens(auth)  # type: ignore[arg-type]
    found = await asyncio.gather(*(tokens.token("u", "a-service") for _ in range(100)))
    assert set(found) == {"u@a-service"}
    assert await tokens.token("u", "b-service") == "u@b-service"
    assert await tokens.token("u", "a-service") == "u@a-service"
    assert auth.asked == [("u", "a-service"), ("u", "b-service")]


async def test_an_api_key_is_exchanged_as_one() -> None:
    """auth-service is told what it gets, so that a key is never taken for a token."""
    auth = Exchanges()
    tokens = UserTokens(auth)  # type: ignore[arg-type]
    assert await tokens.token("castor_0_x", "a-service") == "castor_0_x@a-service"
    assert auth.kinds == {"urn:castor:token-type:api_key"}


async def test_without_auth_service_there_is_none_and_known_ones_last() -> None:
    """No exchange is an error, so that nothing is called at the service's own expense; known tokens are used on."""
    auth = Exchanges()
    tokens = UserTokens(auth)  # type: ignore[arg-type]
    await tokens.token("u", "a-service")
    auth.is_away = True
    assert await tokens.token("u", "a-service") == "u@a-service"
    with pytest.raises(PeerUnavailable):
        await tokens.token("v", "a-service")


async def test_what_is_remembered_is_bounded() -> None:
    """The oldest is forgotten first."""
    auth = Exchanges()
    tokens = UserTokens(auth, cache_size=2)  # type: ignore[arg-type]
    for user in ("u", "v", "w", "u"):
        await tokens.token(user, "a-service")
    assert [user for user, _ in auth.asked] == ["u", "v", "w", "u"]


class OneKey:
    """Knows one API key."""

    async def verify(self, _key: str) -> Principal | None:
        """See ``ApiKeyVerifier``."""
        return Principal("api_key", "ana", frozenset({"small:read"}))


@pytest.mark.parametrize(
    ("sender", "status"), [("ingress", 200), ("small-service", 200), ("twitter-service", 401), ("auth-service", 401)]
)
async def test_what_another_service_captured_is_refused(
    authority: Authority, issuer: TokenIssuer, tmp_path: Path, sender: str, status: int
) -> None:
    """What outsiders show, machines too, is accepted from the ingress, and over no certificate of another service."""
    settings = SmallSettings(
        **{**tls_settings(authority.write(tmp_path / "own", "small-service")), "user_tokens_from": "ingress"}
    )
    files = authority.write(tmp_path / "sender", sender)
    app = create_app(settings, keys=issuer, api_keys=OneKey())
    async with run_service(app, settings, client_files=files) as service:
        machine = issuer.machine_token("castor-account-1", ["small:read"])
        for credentials in (issuer.user_token(["small:read"]), machine, f"castor_{'0' * 16}_{'a' * 43}"):
            answer = await service.client.get(PATH, headers={"Authorization": f"Bearer {credentials}"})
            assert answer.status_code == status, answer.text
        own = issuer.service_token(sender, "small-service", ["small:read"], thumbprint_of(files))
        assert (await service.client.get(PATH, headers={"Authorization": f"Bearer {own}"})).status_code == 200


async def test_an_exchanged_token_alone_opens_nothing(
    authority: Authority, issuer: TokenIssuer, tmp_path: Path
) -> None:
    """It says on whose behalf a service calls, and counts beside the service's own token only."""
    settings = SmallSettings(**tls_settings(authority.write(tmp_path / "own", "small-service")))
    files = authority.write(tmp_path / "caller", "twitter-service")
    token = issuer.delegation("ana", "twitter-service", "small-service", thumbprint_of(files), ["small:read"])
    async with run_service(create_app(settings, keys=issuer), settings, client_files=files) as service:
        answer = await service.client.get(PATH, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, "beside a service's own" in answer.json()["error"]) == (401, True)
