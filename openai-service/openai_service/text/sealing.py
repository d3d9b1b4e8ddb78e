"""Values in Redis that only who knows what they were made from can find and read.

Name and key of a value are digests of the request, or of the text, that it is made from. Who reads Redis learns neither
the prompt nor the answer; who sends the same again finds it. So nothing has to tell this service of a text that is
erased elsewhere: nobody who asks without that text reads what was made from it.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Seal:
    """Seals (AES-GCM) what was made from ``secret``, which is never stored; ``name`` tells nothing of it."""

    def __init__(self, secret: str) -> None:
        made_from = secret.encode("utf-8", "surrogatepass")
        self.name = hashlib.sha256(b"name\0" + made_from).hexdigest()
        self._cipher = AESGCM(hashlib.sha256(b"seal\0" + made_from).digest())

    def close(self, content: bytes) -> bytes:
        """Return ``content`` sealed, another value each time."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, None)

    def open(self, sealed: bytes | None) -> bytes | None:
        """Return what was sealed; None for nothing, for what is damaged, and for what another secret sealed."""
        if sealed is None or len(sealed) < _NONCE_BYTES:
            return None
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag:
            return None
