"""Encryption, pseudonyms and MACs, all with keys derived from the secret of this service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from auth_service.errors import WrongKeySecret

_UNNAMED = b"\x01"
"""Format of what a secret sealed that stood alone: it does not say which."""
_NAMED = b"\x02"
"""Format that names its secret by ``_ID`` bytes."""
_ID = 4
_SALT = 16
_NONCE = 12


@dataclass(frozen=True)
class _Secret:
    """One key-encryption secret, and the name by which sealed texts refer to it."""

    secret: bytes

    def derive(self, purpose: str, salt: bytes = b"") -> bytes:
        hkdf = HKDF(hashes.SHA256(), 32, salt or None, f"castor auth-service {purpose}".encode())
        return hkdf.derive(self.secret)

    @cached_property
    def header(self) -> bytes:
        return _NAMED + self.derive("name of the secret v1")[:_ID]

    def may_have_sealed(self, sealed: bytes) -> bool:
        return sealed.startswith((_UNNAMED, self.header))


class Vault:
    """Seals signing keys and texts, derives successors of refresh tokens, and blinds personal data.

    Each use has a key of its own (HKDF-SHA256, RFC 5869), so that one key says nothing about another. What ``older``
    secrets sealed is opened as well; ``secret`` does everything else.
    """

    def __init__(self, secret: str, older: Sequence[str] = ()) -> None:
        self._ring = [_Secret(text.encode()) for text in (secret, *older)]
        self._present = self._ring[0]
        # Replicas of the version before do not know the format with a name, and have one secret.
        self._header = self._present.header if older else _UNNAMED
        self._successors = self._present.derive("refresh token successor v1")
        self._blinding = self._present.derive("audit blinding v1")

    def seal(self, kid: str, private_pem: bytes) -> bytes:
        """Return header, salt, nonce and AES-256-GCM ciphertext; ``kid`` is authenticated with it."""
        salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
        cipher = AESGCM(self._present.derive("signing key v1", salt))
        return self._header + salt + nonce + cipher.encrypt(nonce, private_pem, kid.encode())

    def unseal(self, kid: str, sealed: bytes) -> bytes:
        """Return the PEM that ``seal`` was given; raises ``WrongKeySecret`` for another secret, kid or text."""
        for secret, body in self._openers(sealed):
            opened = _decrypted(secret.derive("signing key v1", body[:_SALT]), body[_SALT:], kid)
            if opened is not None:
                return opened
        raise WrongKeySecret(kid=kid, retry_after_seconds=30)

    def seal_text(self, purpose: str, text: str) -> bytes:
        """Return header, nonce and AES-256-GCM ciphertext; ``purpose`` is authenticated with it."""
        nonce, cipher = os.urandom(_NONCE), AESGCM(self._present.derive(f"{purpose} v1"))
        return self._header + nonce + cipher.encrypt(nonce, text.encode(), purpose.encode())

    def unseal_text(self, purpose: str, sealed: bytes) -> str | None:
        """Return the text that ``seal_text`` was given, or None for another secret, purpose or text."""
        for secret, body in self._openers(sealed):
            opened = _decrypted(secret.derive(f"{purpose} v1"), body, purpose)
            if opened is not None:
                return opened.decode()
        return None

    def _openers(self, sealed: bytes) -> Iterator[tuple[_Secret, bytes]]:
        """Yield the secrets that may have sealed a text, with what follows its header."""
        body = sealed[1 + _ID :] if sealed.startswith(_NAMED) else sealed[1:]
        yield from ((secret, body) for secret in self._ring if secret.may_have_sealed(sealed))

    def is_sealed_with_present(self, sealed: bytes) -> bool:
        """Return whether a text names the present secret as the one that sealed it."""
        return sealed.startswith(self._present.header)

    def successor(self, refresh_token: str) -> str:
        """Return the token that follows ``refresh_token``: 256 bits that cannot be computed without the secret.

        It is always the same one, so a repeated request gets the same response although only hashes are stored.
        """
        digest = hmac.digest(self._successors, refresh_token.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def blind(self, text: str) -> str:
        """Return a pseudonym of ``text`` (an address, an e-mail): 128 bits in hexadecimal, keyed."""
        return hmac.digest(self._blinding, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:32]

    def audit_seal(self, text: str) -> bytes:
        """Return the MAC of ``text``: only a holder of the secret can make it."""
        return _audit_seal(self._present, text)

    def is_audit_seal(self, text: str, mac: bytes) -> bool:
        """Return whether ``mac`` is that of ``text``, by any secret of the ring."""
        return any(hmac.compare_digest(mac, _audit_seal(secret, text)) for secret in self._ring)


def _audit_seal(secret: _Secret, text: str) -> bytes:
    return hmac.digest(secret.derive("audit seal v1"), text.encode(), hashlib.sha256)


def _decrypted(key: bytes, body: bytes, authenticated: str) -> bytes | None:
    try:
        return AESGCM(key).decrypt(body[:_NONCE], body[_NONCE:], authenticated.encode())
    except (InvalidTag, ValueError):
        return None
