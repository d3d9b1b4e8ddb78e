"""Makes forged tokens, with honest tokens, the public keys and even the signing key at hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

Claims = dict[str, Any]


def b64(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def text_of(value: Any) -> bytes:
    """Return JSON as our issuer writes it; bytes stay as they are."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def payload_of(token: str) -> Claims:
    """Return what a token says, unverified."""
    part = token.split(".")[1]
    claims: Claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@dataclass
class Forge:
    """Makes tokens that must not hold.

    ``signed`` has a signature that holds, so that only its content can be refused.
    """

    private: rsa.RSAPrivateKey
    """The key that auth-service signs with."""
    kid: str
    user: Claims
    """What an honest user's token says."""
    service: Claims
    """What an honest service token for the peer says, bound to the certificate that the tests use."""
    honest: dict[str, str]
    """Honest credentials of every kind but an access token: refresh token, API key, tokens for others."""
    stranger: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def header(self) -> Claims:
        """The header of an honest token."""
        return {"alg": "RS256", "kid": self.kid, "typ": "JWT"}

    def public(self, form: str) -> bytes:
        """Return our public key as ``pem``, ``pkcs1``, ``der``, ``ssh`` or ``jwk``."""
        key, pem, der = self.private.public_key(), serialization.Encoding.PEM, serialization.Encoding.DER
        spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
        if form == "jwk":
            return text_of(self.jwk())
        if form == "ssh":
            return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return key.public_bytes(der if form == "der" else pem, pkcs1 if form == "pkcs1" else spki)

    def jwk(self, key: rsa.RSAPrivateKey | None = None) -> Claims:
        """Return a public key as RFC 7517 writes it, ours unless told otherwise."""
        numbers = (key or self.private).public_key().public_numbers()
        n, e = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.n, numbers.e))
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": b64(n), "e": b64(e)}

    def fresh(self, **changes: Any) -> Claims:
        """Return honest claims of a user with ``changes``; a change to None removes the claim."""
        return _changed({**self.user, "jti": uuid.uuid4().hex}, changes)

    def fresh_service(self, **changes: Any) -> Claims:
        """Return honest claims of a service with ``changes``."""
        return _changed({**self.service, "jti": uuid.uuid4().hex}, changes)

    def signed(
        self, claims: Any = None, *, header: Any = None, key: rsa.RSAPrivateKey | None = None, **members: Any
    ) -> str:
        """Return a token whose RS256 signature by ``key`` (ours) holds, with ``members`` added to its header."""
        head = header if header is not None else _changed(self.header, members)
        body = f"{b64(text_of(head))}.{b64(text_of(claims if claims is not None else self.fresh()))}"
        signature = (key or self.private).sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{body}.{b64(signature)}"

    def parts(self) -> tuple[str, str, str]:
        """Return the parts of a fresh honest token."""
        head, payload, signature = self.signed().split(".")
        return head, payload, signature

    def unsigned(self, alg: Any, signature: str = "", **members: Any) -> str:
        """Return a token that names ``alg`` and brings the given text as its signature."""
        head = _changed({**self.header, "alg": alg}, members)
        return f"{b64(text_of(head))}.{b64(text_of(self.fresh()))}.{signature}"

    def hmac(self, secret: bytes, alg: str = "HS256", **members: Any) -> str:
        """Return a token authenticated with ``secret``: the confusion of a public key with a shared one."""
        body = self.unsigned(members.pop("named", alg), **members).rpartition(".")[0]
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
        return f"{body}.{b64(hmac.new(secret, body.encode(), digest).digest())}"

    def elliptic(self, alg: str, **members: Any) -> str:
        """Return a token signed with an elliptic key of the forger's own."""
        body = self.unsigned(alg, **members).rpartition(".")[0]
        if alg == "EdDSA":
            return f"{body}.{b64(ed25519.Ed25519PrivateKey.generate().sign(body.encode()))}"
        signature = ec.generate_private_key(ec.SECP256R1()).sign(body.encode(), ec.ECDSA(hashes.SHA256()))
        return f"{body}.{b64(signature)}"

    def pss(self) -> str:
        """Return a token signed by our own key, but in another scheme than the one we use."""
        body = self.unsigned("PS256").rpartition(".")[0]
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return f"{body}.{b64(self.private.sign(body.encode(), scheme, hashes.SHA256()))}"

    def at(self, seconds: float) -> int:
        """Return the Unix second that many seconds from now."""
        return int(time.time() + seconds)


def _changed(claims: Claims, changes: Claims) -> Claims:
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}
