"""An issuer of our tokens, for tests of everything but auth-service."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

from castor_chassis.security.jwt import ALGORITHM
from castor_chassis.tls import TlsFiles


class TokenIssuer:
    """Signs tokens as auth-service does, and is the ``KeySource`` that verifies them."""

    def __init__(self, *, issuer: str = "https://auth.castor", kid: str = "test-key") -> None:
        self.issuer = issuer
        self.kid = kid
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_pem = public.decode()
        self._key = jwk.construct(self.public_pem, ALGORITHM)

    async def key(self, kid: str) -> Any | None:
        """Return the public key when ``kid`` is ours."""
        return self._key if kid == self.kid else None

    def jwks(self) -> dict[str, Any]:
        """Return the key set as auth-service publishes it."""
        return {"keys": [{**self._key.to_dict(), "kid": self.kid, "use": "sig"}]}

    def sign(self, claims: dict[str, Any], *, headers: dict[str, Any] | None = None) -> str:
        """Return ``claims`` signed, whatever they say."""
        return str(jwt.encode(claims, self.private_pem, ALGORITHM, headers={"kid": self.kid, **(headers or {})}))

    def user_claims(
        self, scopes: Iterable[str], *, lifetime_seconds: int = 900, org: str = "default"
    ) -> dict[str, Any]:
        """Return the claims of a user's access token."""
        return {
            **self._times(lifetime_seconds),
            "sub": str(uuid.uuid4()),
            "aud": "castor",
            "token_use": "user",
            "sid": str(uuid.uuid4()),
            "scope": " ".join(scopes) or "none",
            "roles": ["analyst"],
            "org": org,
            "email": "ana@example.com",
        }

    def machine_token(self, account: str, scopes: Iterable[str]) -> str:
        """Return a token of a service account."""
        claims = {**self.user_claims(scopes), "sub": account, "client_id": account, "token_use": "service_account"}
        return self.sign({name: value for name, value in claims.items() if name not in ("roles", "email")})

    def service_claims(self, service: str, audience: str, scopes: Iterable[str], thumbprint: str) -> dict[str, Any]:
        """Return the claims of a service token bound to a certificate."""
        return {
            **self._times(300),
            "sub": service,
            "aud": audience,
            "token_use": "service",
            "scope": " ".join(scopes),
            "cnf": {"x5t#S256": thumbprint},
        }

    def user_token(self, scopes: Iterable[str], *, lifetime_seconds: int = 900, org: str = "default") -> str:
        """Return a user's access token with ``scopes``; each is another user's."""
        return self.sign(self.user_claims(scopes, lifetime_seconds=lifetime_seconds, org=org))

    def service_token(self, service: str, audience: str, scopes: Iterable[str], thumbprint: str) -> str:
        """Return a service token for ``audience``, bound to the certificate with ``thumbprint``."""
        return self.sign(self.service_claims(service, audience, scopes, thumbprint))

    def delegation(
        self, user: str, actor: str, audience: str, thumbprint: str, scopes: Iterable[str] = (), org: str = "default"
    ) -> str:
        """Return the token with which ``actor`` calls ``audience`` on behalf of ``user``, bound to a certificate."""
        claims = self.service_claims(actor, audience, scopes, thumbprint)
        return self.sign(
            {
                **claims,
                "sub": user,
                "org": org,
                "token_use": "delegation",
                "sid": str(uuid.uuid4()),
                "act": {"sub": actor},
            }
        )

    def _times(self, lifetime_seconds: int) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": self.issuer, "iat": now, "exp": now + lifetime_seconds, "jti": uuid.uuid4().hex}


def thumbprint_of(files: TlsFiles) -> str:
    """What a token is bound to the certificate by (RFC 8705)."""
    der = x509.load_pem_x509_certificate(files.certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
