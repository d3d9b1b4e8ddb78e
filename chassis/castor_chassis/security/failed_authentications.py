"""Failed authentications are limited by address, whatever the credentials, before the next ones are verified."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict

import limits

from castor_chassis.metrics import RATE_LIMITED
from castor_chassis.wire.errors import RateLimited

_ADDRESSES = 20_000
_PROVED = 10_000


class FailedAuthentications:
    """Counts the failures of each address in a fixed window, in the memory of this process.

    So nothing that others can displace decides, and a refusal costs no call. With several replicas an address has the
    limit at each. Credentials that were right before pass in any case: others behind the same address keep working.
    """

    def __init__(self, rate: str) -> None:
        self._item = limits.parse(rate)
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._proved: OrderedDict[bytes, None] = OrderedDict()

    def admit(self, address: str | None, credentials: str = "") -> None:
        """Raise ``RateLimited`` when too many failed from this address; None, one of our services, is never refused."""
        ends_at, failures = self._windows.get(address or "", (0.0, 0))
        left = ends_at - time.monotonic()
        if left > 0 and failures >= self._item.amount and _digest(credentials) not in self._proved:
            RATE_LIMITED.labels("failed_authentication").inc()
            raise RateLimited(limit=f"{self._item} that fail to authenticate", retry_after_seconds=max(1.0, left))

    def count(self, address: str | None) -> None:
        """Count a failure of this address."""
        if address is None:
            return
        now = time.monotonic()
        ends_at, failures = self._windows.pop(address, (0.0, 0))
        if ends_at <= now:
            ends_at, failures = now + self._item.get_expiry(), 0
        self._windows[address] = ends_at, failures + 1
        if len(self._windows) > _ADDRESSES:
            self._windows.popitem(last=False)

    def proved(self, credentials: str) -> None:
        """Remember that these credentials were right."""
        digest = _digest(credentials)
        self._proved[digest] = None
        self._proved.move_to_end(digest)
        if len(self._proved) > _PROVED:
            self._proved.popitem(last=False)


def _digest(credentials: str) -> bytes:
    return hashlib.sha256(credentials.encode("utf-8", "surrogatepass")).digest()
