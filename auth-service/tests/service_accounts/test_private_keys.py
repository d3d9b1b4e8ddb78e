"""Clients that prove themselves with a private key (RFC 7523): what holds, what does not, and which keys are taken."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwk, jwt

from .conftest import ISSUER, TOKEN, Machines

pytestmark = pytest.mark.asyncio(loop_scope="module")
ENDPOINT = f"{ISSUER}{TOKEN}"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA, EC = jwk.RSAKey.generate_key(2048), jwk.ECKey.generate_key("P-256")


@dataclass
class Signer:
    """A client with a key of its own."""

    machines: Machines
    account: str
    key: Any

    def assertion(self, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """Return a signed assertion; a claim that is None is left out."""
        now = int(time.time())
        claims = {"iss": self.account, "sub": self.account, "aud": ENDPOINT, "iat": now, "exp": now + 60}
        claims |= {"jti": uuid.uuid4().hex, **changed}
        told = {"alg": "ES256", **(header or {})}
        stated = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(told, stated, self.key, algorithms=[told["alg"]])

    async def ask(self, assertion: str, **changed: str) -> Any:
        """Send an assertion."""
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        return await self.machines.token({**form, "client_assertion": assertion}, **changed)


@pytest_asyncio.fixture(loop_scope="module")
async def signer(machines: Machines) -> Signer:
    """A client whose EC key is registered."""
    account = await machines.account()
    await machines.credential(account, public_key=EC.as_dict(private=False, kid=None))
    return Signer(machines, account, EC)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")], ids=["rsa", "ec"])
async def test_authlib_signs_in_with_a_key(machines: Machines, key: Any, algorithm: str) -> None:
    """With its defaults, by either kind of key, registered beside another; the use is noted for that key alone."""
    account = await machines.account()
    await machines.credential(account)
    await machines.credential(account, public_key=jwk.ECKey.generate_key("P-256").as_dict(private=False))
    added = await machines.credential(account, public_key=key.as_dict(private=False))
    assert (added["kind"], added["client_secret"]) == ("public_key", None)
    async with machines.authlib(account, key, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(ENDPOINT, alg=algorithm))
        token = await client.fetch_token()
    assert token["scope"] == "trends:read tweets:read"
    held = (await machines.ask("GET", f"/{account}")).json()["data"]["credentials"]
    assert [one["id"] for one in held if one["last_used_at"] is not None] == [added["id"]]


async def test_an_assertion_counts_once(signer: Signer) -> None:
    """Sent again it is refused, by its jti, even when it was signed anew."""
    assertion = signer.assertion(jti="one")
    assert (await signer.ask(assertion)).status_code == 200
    for again in (assertion, signer.assertion(jti="one", exp=int(time.time()) + 300)):
        refused = await signer.ask(again)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert "used before" in refused.json()["error_description"]


async def test_what_a_good_assertion_may_say(signer: Signer) -> None:
    """The issuer as its audience, alone or as a list of one; no iat; its client_id in the form."""
    for assertion in (signer.assertion(aud=ISSUER), signer.assertion(aud=[ENDPOINT]), signer.assertion(iat=None)):
        assert (await signer.ask(assertion, client_id=signer.account)).status_code == 200


HOUR = 3600
WRONG = {
    "expired": {"exp": -HOUR},
    "valid for a day": {"exp": 24 * HOUR},
    "without an end": {"exp": None},
    "not valid yet": {"nbf": HOUR},
    "issued in the future": {"iat": HOUR},
    "of another server": {"aud": "https://example.org"},
    "of several servers": {"aud": [ENDPOINT, "https://example.org"]},
    "without audience": {"aud": None},
    "without jti": {"jti": None},
    "with a jti that is no text": {"jti": 1},
    "of another issuer": {"iss": "castor-account-000000000000"},
    "of another account": {"sub": "castor-account-000000000000"},
    "whose end is no number": {"exp": "tomorrow"},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
async def test_a_wrong_assertion_is_refused(signer: Signer, changed: dict[str, Any]) -> None:
    """Whatever of it is wrong, the client is not authenticated."""
    now = int(time.time())
    moved = {name: now + value if type(value) is int and name != "jti" else value for name, value in changed.items()}
    refused = await signer.ask(signer.assertion(**moved))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client"), refused.text


@pytest.mark.parametrize(
    ("key", "header"),
    [
        (jwk.ECKey.generate_key("P-256"), {}),
        (RSA, {"alg": "RS256"}),
        (jwk.OctKey.import_key(b"x" * 64), {"alg": "HS256"}),
        (EC, {"jwk": EC.as_dict(private=False)}),
        (EC, {"kid": "another"}),
    ],
    ids=["another key", "another algorithm", "symmetric", "key in the header", "kid is not used"],
)
async def test_only_a_registered_key_counts(signer: Signer, key: Any, header: dict[str, Any]) -> None:
    """The signature of any other key, and a header that brings one along, are refused; kid decides nothing."""
    signer = Signer(signer.machines, signer.account, key)
    assert (await signer.ask(signer.assertion(header))).status_code == (200 if "kid" in header else 401)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "[" * 9000, "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_assertion(signer: Signer, text: str) -> None:
    """Anything else is refused, never an error of ours."""
    assert (await signer.ask(text)).status_code == 401


async def test_a_revoked_key_and_a_wrong_type_are_refused(signer: Signer) -> None:
    """A key ends as a secret does; an unknown type of assertion is named."""
    wrong = await signer.ask(signer.assertion(), client_assertion_type="urn:x")
    assert wrong.json()["error"] == "invalid_request"
    (held,) = (await signer.machines.ask("GET", f"/{signer.account}")).json()["data"]["credentials"]
    await signer.machines.ask("DELETE", f"/{signer.account}/credentials/{held['id']}")
    assert (await signer.ask(signer.assertion())).status_code == 401


SMALL = {"kty": "RSA", "n": "_" * 171, "e": "AQAB"}


@pytest.mark.parametrize(
    "key",
    [
        EC.as_dict(private=True),
        SMALL,
        {**RSA.as_dict(private=False), "e": "Aw"},
        {**EC.as_dict(private=False), "y": EC.as_dict(private=False)["x"]},
        jwk.ECKey.generate_key("P-384").as_dict(private=False),
        {"kty": "RSA", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "A"},
        {"kty": "oct", "k": "A"},
    ],
    ids=["private", "small", "exponent 3", "no point", "P-384", "without n", "without y", "symmetric"],
)
async def test_keys_that_are_not_taken(machines: Machines, key: dict[str, Any]) -> None:
    """Private, weak, broken and symmetric keys are refused with a sentence."""
    account = await machines.account()
    key = {name: value for name, value in key.items() if name != "kid"}
    refused = await machines.ask("POST", f"/{account}/credentials", json={"public_key": key})
    assert refused.status_code == 422, refused.text
    assert refused.json()["error"]
