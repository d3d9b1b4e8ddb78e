"""From records to wire models."""

from __future__ import annotations

from castor_chassis import Page, normal_time, page
from trending_service.api.schemas.topics import Topic
from trending_service.topics.model import TopicList


def topics_of(found: TopicList) -> Page[Topic]:
    """Return topics as they are answered; ``meta`` says what was asked and looked at."""
    return page(
        [Topic.model_validate(topic, from_attributes=True) for topic in found.items],
        as_of=normal_time(found.as_of),
        window_hours=found.window_hours,
        baseline_days=found.baseline_days,
        tweets_in_window=found.tweets_in_window,
        tweets_in_baseline=found.tweets_in_baseline,
        terms_tested=found.terms_tested,
        degraded=found.degraded,
    )
