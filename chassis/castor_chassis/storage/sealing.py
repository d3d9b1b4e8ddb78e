"""Values that only who knows what they were made from can find and read: kept answers, and cached ones.

Name and key of a value are digests of what it is made from. Who reads the store learns neither that nor the value; who
sends the same again finds it. So nothing has to tell of a text that is erased elsewhere: nobody who asks without that
text reads what was made from it.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Seal:
    """Seals (AES-GCM) what was made from ``secret``, which is never stored; ``name`` tells nothing of it."""

    def __init__(self, secret: bytes | str) -> None:
        made_from = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
        self.name = hashlib.sha256(b"name" + made_from).digest()
        self._cipher = AESGCM(hashlib.sha256(b"seal" + made_from).digest())

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
