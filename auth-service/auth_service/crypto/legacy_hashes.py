"""Hashes of the predecessor (werkzeug): ``scrypt:N:r:p$salt$hex`` and ``pbkdf2:digest:iterations$salt$hex``.

They verify, and are replaced by argon2id at the next login.
"""

from __future__ import annotations

import hashlib
import hmac
import re

_SCRYPT = re.compile(r"scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2})\$([^$]+)\$([0-9a-f]{128})")
_PBKDF2 = re.compile(r"pbkdf2:(sha1|sha256|sha512)(?::(\d{1,7}))?\$([^$]+)\$([0-9a-f]+)")
# Of hashes that do not say their number of iterations.
_DEFAULT_ITERATIONS = 150_000
_MEMORY = 256 * 1024 * 1024


def is_legacy(stored: str) -> bool:
    """Return whether a hash is one of the predecessor's."""
    return stored.startswith(("scrypt:", "pbkdf2:"))


def matches_legacy(stored: str, password: str) -> bool:
    """Return whether ``stored`` is a hash of ``password``; a hash that cannot be parsed matches nothing."""
    scrypt, pbkdf2 = _SCRYPT.fullmatch(stored), _PBKDF2.fullmatch(stored)
    if scrypt is not None:
        cost, block, lanes = (int(number) for number in scrypt.groups()[:3])
        return _scrypt(password, scrypt[4], scrypt[5], cost, block, lanes)
    if pbkdf2 is not None:
        rounds = int(pbkdf2[2] or _DEFAULT_ITERATIONS)
        made = hashlib.pbkdf2_hmac(pbkdf2[1], password.encode(), pbkdf2[3].encode(), max(1, rounds))
        return hmac.compare_digest(made.hex(), pbkdf2[4])
    return False


def _scrypt(password: str, salt: str, expected: str, cost: int, block: int, lanes: int) -> bool:
    try:
        made = hashlib.scrypt(password.encode(), salt=salt.encode(), n=cost, r=block, p=lanes, maxmem=_MEMORY)
    except ValueError:  # invalid parameters, or more memory than the predecessor's hashes take
        return False
    return hmac.compare_digest(made.hex(), expected)
