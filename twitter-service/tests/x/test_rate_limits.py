"""Requests to X wait for their slot no longer than they must."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from twitter_service.x import rate_limits
from twitter_service.x.rate_limits import Slot, XLimits


class _ReturnedTooEarly(XLimits):
    """Limits at which another request returns its slot just after the first look has seen none free."""

    def __init__(self) -> None:
        super().__init__(None, account="test", max_in_flight=1, slot_seconds=60, margin_seconds=0)
        self.asked = 0

    async def _ask(self, endpoint: str, _slot: Slot) -> float | None:
        self.asked += 1
        if self.asked > 1:
            return None
        self._queues[endpoint].returned.set()
        return 0.0

    async def _run(self, _script: str, _endpoint: str, _arguments: list[Any]) -> Any:
        return None


async def test_a_slot_returned_during_a_look_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that waits asks again at once when a slot was returned while it asked."""
    monkeypatch.setattr(rate_limits, "POLL_SECONDS", 3600.0)
    limits = _ReturnedTooEarly()
    async with asyncio.timeout(60):
        async with limits.slot("search_recent", 3600):
            assert limits.asked == 2
