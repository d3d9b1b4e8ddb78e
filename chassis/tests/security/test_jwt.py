"""Which tokens hold and which do not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from castor_chassis import TokenVerifier, Unauthenticated
from castor_chassis.security.revocation import Revocation, RevocationBatch, RevocationList
from castor_chassis.testing import TokenIssuer
from castor_chassis.tls import PeerIdentity

PEER = PeerIdentity("spiffe://castor/twitter-service", not_after=0, thumbprint="thumb")


@pytest.fixture
def verifier(issuer: TokenIssuer) -> TokenVerifier:
    return TokenVerifier(issuer, issuer=issuer.issuer, service="sentiment-service")


def b64(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def with_header(token: str, **members: Any) -> str:
    head, payload, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    return ".".join([b64({**header, **members}), payload, signature])


async def refused(verifier: TokenVerifier, token: str, peer: PeerIdentity | None = PEER) -> bool:
    try:
        await verifier.verify(token, peer)
    except Unauthenticated:
        return True
    return False


async def test_good_tokens_hold(verifier: TokenVerifier, issuer: TokenIssuer) -> None:
    """A user's token, that of a machine outside and a service's own token yield their claims."""
    user = await verifier.verify(issuer.user_token(["a:b", "c:d"]), None)
    machine = await verifier.verify(issuer.machine_token("castor-account-1", ["a:b"]), None)
    service = await verifier.verify(
        issuer.service_token("twitter-service", "sentiment-service", ["x:y"], "thumb"), PEER
    )
    assert (user.use, user.scopes) == ("user", {"a:b", "c:d"})
    assert (machine.use, machine.subject, machine.org, machine.roles) == (
        "service_account", "castor-account-1", "default", (),
    )  # fmt: skip
    assert (service.use, service.subject, service.scopes) == ("service", "twitter-service", {"x:y"})


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["castor"]},
        {"aud": None},
        {"token_use": "service"},
        {"token_use": "refresh"},
        {"token_use": None},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": 1},
        {"exp": True},
        {"iat": None},
        {"iat": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"nbf": "soon"},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"jti": None},
        {"scope": None},
        {"scope": ["a:b"]},
        {"roles": [1]},
    ],
    ids=str,
)
async def test_wrong_claims_are_refused(verifier: TokenVerifier, issuer: TokenIssuer, change: dict[str, Any]) -> None:
    """A signed token with one wrong or missing claim does not hold."""
    claims = {**issuer.user_claims(["a:b"]), **change}
    token = issuer.sign({name: value for name, value in claims.items() if value is not None})
    assert await refused(verifier, token)


@pytest.mark.parametrize(
    "members",
    [
        *({"alg": name} for name in ("none", "None", "NONE", "nOnE", "", "HS256", "RS512", "ES256", "PS256")),
        {"alg": None},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": "unknown"},
        {"kid": None},
        {"kid": 1},
        {"kid": "k" * 65},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "RSA"}},
        {"x5c": ["x"]},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"typ": "refresh+jwt"},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
    ids=str,
)
async def test_wrong_headers_are_refused(verifier: TokenVerifier, issuer: TokenIssuer, members: dict[str, Any]) -> None:
    """Any header but ours is refused, also when the signature over it holds."""
    good = issuer.user_token(["a:b"])
    assert await refused(verifier, with_header(good, **members))
    if members.get("alg") in (None, "") or "alg" not in members:
        resigned = {name: value for name, value in members.items() if name != "alg"}
        if resigned:
            assert await refused(verifier, issuer.sign(issuer.user_claims(["a:b"]), headers=resigned))


async def test_public_key_as_hmac_secret_is_refused(verifier: TokenVerifier, issuer: TokenIssuer) -> None:
    """A token signed with our public key as an HMAC secret does not hold."""
    claims = issuer.user_claims(["a:b"])
    for secret in (issuer.public_pem.encode(), issuer.public_pem.strip().encode(), b""):
        body = f"{b64({'alg': 'HS256', 'typ': 'JWT', 'kid': issuer.kid})}.{b64(claims)}"
        mac = hmac.new(secret, body.encode(), hashlib.sha256).digest()
        assert await refused(verifier, f"{body}.{b64(mac)}")


@pytest.mark.parametrize("signature", ["", "AAAA", "A" * 342, "not base64!"])
async def test_wrong_signatures_are_refused(verifier: TokenVerifier, issuer: TokenIssuer, signature: str) -> None:
    """Empty, null and foreign signatures do not hold."""
    head, payload, _ = issuer.user_token(["a:b"]).split(".")
    assert await refused(verifier, f"{head}.{payload}.{signature}")


async def test_changed_payload_is_refused(verifier: TokenVerifier, issuer: TokenIssuer) -> None:
    """A payload that was edited after signing does not hold."""
    head, _, signature = issuer.user_token(["a:b"]).split(".")
    assert await refused(verifier, f"{head}.{b64(issuer.user_claims(['admin']))}.{signature}")


async def test_token_of_another_issuer_with_our_kid_is_refused(verifier: TokenVerifier) -> None:
    """Knowing the kid is not enough."""
    assert await refused(verifier, TokenIssuer().user_token(["a:b"]))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "A" * 1_000_000, "\udcff.a.b"])
async def test_malformed_tokens_are_refused(verifier: TokenVerifier, token: str) -> None:
    """What is no token is refused without a crash, at any size."""
    assert await refused(verifier, token)


async def test_duplicate_claims_are_refused(verifier: TokenVerifier, issuer: TokenIssuer) -> None:
    """A payload that says one thing twice is ambiguous, hence refused, though its signature holds."""
    from jose import jws

    text = json.dumps(issuer.user_claims(["a:b"]))[:-1] + ', "scope": "admin"}'
    token = jws.sign(text.encode(), issuer.private_pem, headers={"kid": issuer.kid}, algorithm="RS256")
    assert await refused(verifier, token)


async def test_deep_nesting_is_refused(verifier: TokenVerifier, issuer: TokenIssuer) -> None:
    """A payload nested thousands deep is refused, not a crash."""
    head, _, signature = issuer.user_token(["a:b"]).split(".")
    assert await refused(verifier, f"{head}.{b64(b'[' * 3000 + b']' * 3000)}.{signature}")


async def test_service_token_belongs_to_its_certificate_and_audience(
    verifier: TokenVerifier, issuer: TokenIssuer
) -> None:
    """A service token is of no use over another connection, without one, or at another service."""
    token = issuer.service_token("twitter-service", "sentiment-service", ["x:y"], "thumb")
    assert not await refused(verifier, token)
    assert await refused(verifier, token, None)
    assert await refused(verifier, token, PeerIdentity("spiffe://castor/rag-service", 0, "another"))
    other = TokenVerifier(issuer, issuer=issuer.issuer, service="rag-service")
    assert await refused(other, token)
    unbound = issuer.sign({**issuer.service_claims("a", "sentiment-service", ["x"], ""), "cnf": {}})
    assert await refused(verifier, unbound)


async def test_cached_token_expires(verifier: TokenVerifier, issuer: TokenIssuer) -> None:
    """A remembered token is checked for expiry every time."""
    token = issuer.user_token(["a:b"])
    assert not await refused(verifier, token)
    claims = verifier._cache[hashlib.sha256(token.encode()).digest()]
    object.__setattr__(claims, "expires_at", int(time.time()) - 60)
    assert await refused(verifier, token)


async def test_what_a_leaked_key_signed_never_holds_again(issuer: TokenIssuer) -> None:
    """Neither tokens verified before nor others, although the key source still gives the key: it may be behind."""
    revoked = RevocationList()
    verifier = TokenVerifier(issuer, issuer=issuer.issuer, service="sentiment-service", revoked=revoked)
    known, forged = issuer.user_token(["a:b"]), issuer.user_token(["a:b"])
    await verifier.verify(known, None)
    now = time.time()
    revoked.add(RevocationBatch(1, [Revocation("signing_key", issuer.kid, now, now + 60)]))
    assert await issuer.key(issuer.kid) is not None
    for token in (known, forged, forged):
        assert await refused(verifier, token)
        assert verifier.recall(token.encode(), None) is None
