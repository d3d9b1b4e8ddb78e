"""Embeddings let the scores of an import go first, but not for ever."""

from __future__ import annotations

import pytest

from rag_service.ingest.feed_traffic import QUIET_SECONDS, FeedTraffic


@pytest.mark.parametrize(
    ("changes", "now", "busy"),
    [
        ([], 0.0, False),
        ([10.0], 10.0 + QUIET_SECONDS, True),
        ([10.0], 10.5 + QUIET_SECONDS, False),
        ([10.0, 12.0, 14.0, 16.0, 18.0], 18.0, True),
        ([10.0, 12.0, 14.0, 16.0, 18.0, 20.0], 20.0, False),
        ([10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 30.0], 31.0, True),
    ],
)
def test_busy_while_changes_come_and_not_for_longer_than_allowed(
    changes: list[float], now: float, *, busy: bool
) -> None:
    """Changes keep it busy until they pause, at most ten seconds at a stretch; after a pause anew."""
    time = [0.0]
    traffic = FeedTraffic(10.0, lambda: time[0])
    for moment in changes:
        time[0] = moment
        traffic.note()
    time[0] = now
    assert traffic.is_busy() is busy


def test_without_a_limit_nothing_waits() -> None:
    """With zero seconds it is never busy."""
    traffic = FeedTraffic(0.0, lambda: 1.0)
    traffic.note()
    assert not traffic.is_busy()
