"""Encryption, pseudonyms and MACs, all with keys derived from the one secret of this service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from auth_service.errors import WrongKeySecret

_FORMAT = b"\x01"
_SALT = 16
_NONCE = 12


class Vault:
    """Seals signing keys and texts, derives successors of refresh tokens, and blinds personal data.

    Each use has a key of its own (HKDF-SHA256, RFC 5869), so that one key says nothing about another.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._successors = self._derive("refresh token successor v1")
        self._blinding = self._derive("audit blinding v1")
        self._sealing = self._derive("audit seal v1")

    def _derive(self, purpose: str, salt: bytes = b"") -> bytes:
        hkdf = HKDF(hashes.SHA256(), 32, salt or None, f"castor auth-service {purpose}".encode())
        return hkdf.derive(self._secret)

    def seal(self, kid: str, private_pem: bytes) -> bytes:
        """Return format byte, salt, nonce and AES-256-GCM ciphertext; ``kid`` is authenticated with it."""
        salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
        cipher = AESGCM(self._derive("signing key v1", salt))
        return _FORMAT + salt + nonce + cipher.encrypt(nonce, private_pem, kid.encode())

    def unseal(self, kid: str, sealed: bytes) -> bytes:
        """Return the PEM that ``seal`` was given; raises ``WrongKeySecret`` for another secret, kid or text."""
        salt, rest = sealed[1 : 1 + _SALT], sealed[1 + _SALT :]
        cipher = AESGCM(self._derive("signing key v1", salt))
        try:
            return cipher.decrypt(rest[:_NONCE], rest[_NONCE:], kid.encode())
        except (InvalidTag, ValueError) as error:
            raise WrongKeySecret(kid=kid, retry_after_seconds=30) from error

    def seal_text(self, purpose: str, text: str) -> bytes:
        """Return format byte, nonce and AES-256-GCM ciphertext; ``purpose`` is authenticated with it."""
        nonce = os.urandom(_NONCE)
        return _FORMAT + nonce + AESGCM(self._derive(f"{purpose} v1")).encrypt(nonce, text.encode(), purpose.encode())

    def unseal_text(self, purpose: str, sealed: bytes) -> str | None:
        """Return the text that ``seal_text`` was given, or None for another secret, purpose or text."""
        nonce, cipher = sealed[1 : 1 + _NONCE], AESGCM(self._derive(f"{purpose} v1"))
        try:
            return cipher.decrypt(nonce, sealed[1 + _NONCE :], purpose.encode()).decode()
        except (InvalidTag, ValueError):
            return None

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
        return hmac.digest(self._sealing, text.encode(), hashlib.sha256)
