"""How long scoring waits for sentiment-service, and which of its refusals are about a text."""

from __future__ import annotations

from castor_chassis import PeerError, PeerRejected

MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.5, 5.0
_TEXT_REFUSED = frozenset({400, 413, 422})


def wait_seconds(error: PeerError) -> float:
    """Return the peer's ``Retry-After`` within bounds; 1 s where it gave none."""
    return min(MAX_WAIT_SECONDS, max(MIN_WAIT_SECONDS, error.retry_after_seconds or 1.0))


def is_about_the_text(error: PeerRejected) -> bool:
    """True when sentiment-service refused what was sent; other refusals are about the caller."""
    return error.peer_status in _TEXT_REFUSED
