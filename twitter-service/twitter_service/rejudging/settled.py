"""A version that has been seen for a while without a break."""

from __future__ import annotations

import time
from collections.abc import Callable

from twitter_service.rejudging.model import SentimentVersion


class SettledVersion:
    """``current`` is the version that every look of the last ``seconds`` has seen; None when they differ.

    While a rollout replaces the replicas of sentiment-service, old and new ones answer in turns.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._seen: SentimentVersion | None = None
        self._since = 0.0

    def see(self, version: SentimentVersion | None) -> None:
        """Note what a look has seen; None: that it does not say."""
        if version != self._seen:
            self._seen, self._since = version, self._clock()

    @property
    def current(self) -> SentimentVersion | None:
        """The settled version."""
        return self._seen if self._clock() - self._since >= self._seconds else None
