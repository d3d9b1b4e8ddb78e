"""Settings that cannot work are refused."""

from __future__ import annotations

from typing import Any

import pytest

from rag_service.settings import RagSettings


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"feed_wait_seconds": 25, "request_timeout_seconds": 29}, "leaves less than 5 s"),
        ({"answer_timeout_seconds": 28, "query_embedding_timeout_seconds": 2}, "leaves nothing"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(wrong: dict[str, Any], reason: str) -> None:
    """A poll longer than a request, and a model that takes all the time of an answer, end the start."""
    with pytest.raises(ValueError, match=reason):
        RagSettings(**wrong)


def test_the_default_settings_work() -> None:
    """The same settings within their bounds are accepted."""
    settings = RagSettings(feed_wait_seconds=25, request_timeout_seconds=30)
    assert (settings.feed_wait_seconds, settings.request_timeout_seconds) == (25, 30)
