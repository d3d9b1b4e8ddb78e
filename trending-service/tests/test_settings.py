"""Settings that cannot work are refused."""

from __future__ import annotations

from typing import Any

import pytest

from trending_service.settings import TrendingSettings


@pytest.mark.parametrize(
    "wrong", [{"local_timezone": "Bogota"}, {"feed_wait_seconds": 20, "request_timeout_seconds": 20}]
)
def test_a_setting_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    """An unknown zone and a poll longer than a request end the start."""
    with pytest.raises(ValueError, match="time zone|leaves less"):
        TrendingSettings(**wrong)
