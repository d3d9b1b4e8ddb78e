"""The retry budget, the backoff and the Retry-After header."""

from __future__ import annotations

import pytest

from castor_chassis.client.retry import RetryBudget, backoff_seconds, retry_after_seconds


def test_retries_are_a_fifth_of_calls_at_most() -> None:
    """The budget allows a burst, then one retry in five calls."""
    budget = RetryBudget(ratio=0.2, burst=2)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    allowed = 0
    for _ in range(100):
        budget.earn()
        allowed += budget.spend()
    assert 18 <= allowed <= 20


def test_backoff_is_full_jitter_with_a_cap() -> None:
    """Delays spread over the whole range and never pass the cap."""
    delays = [backoff_seconds(3) for _ in range(500)]
    assert 0 <= min(delays) < 0.1
    assert 0.3 < max(delays) <= 0.4
    assert max(backoff_seconds(50) for _ in range(100)) <= 5


@pytest.mark.parametrize(("header", "expected"), [(None, None), ("3", 3.0), ("-1", 0.0), ("soon", None)])
def test_retry_after_reads_what_it_can(header: str | None, expected: float | None) -> None:
    """Unreadable headers are as good as none."""
    assert retry_after_seconds(header) == expected
