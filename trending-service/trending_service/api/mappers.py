"""From records to wire models."""

from __future__ import annotations

from castor_chassis import Page, normal_time, page
from trending_service.api.schemas.coordination import SuspectedGroup
from trending_service.api.schemas.topics import BestTopic, Topic, TopicDetail
from trending_service.coordination.report import GroupReport
from trending_service.topics.model import Timeline, TopicList
from trending_service.topics.model import Topic as FoundTopic
from trending_service.topics.pick import best, pick_of


def topic_of(topic: FoundTopic) -> Topic:
    """Return one topic as it is answered."""
    return Topic.model_validate(topic, from_attributes=True)


def topics_of(found: TopicList) -> Page[Topic]:
    """Return topics as they are answered; ``meta`` says what was asked and looked at."""
    return page(
        [topic_of(topic) for topic in found.items],
        as_of=normal_time(found.as_of),
        window_hours=found.window_hours,
        baseline_days=found.baseline_days,
        tweets_in_window=found.tweets_in_window,
        tweets_in_baseline=found.tweets_in_baseline,
        terms_tested=found.terms_tested,
        needed_score=found.needed_score,
        needed_tweets=found.needed_tweets,
        quiet=found.quiet,
        looked_since=normal_time(found.looked_since),
        degraded=found.degraded,
    )


def detail_of(topic: FoundTopic, timeline: Timeline) -> TopicDetail:
    """Return a topic with its hours."""
    return TopicDetail.model_validate(
        {"topic": topic, "timezone": timeline.timezone, "buckets": timeline.buckets}, from_attributes=True
    )


def best_of(found: TopicList) -> BestTopic | None:
    """Return the topic that is worth speaking about, None without topics."""
    topic = best(found.items)
    return None if topic is None else BestTopic(topic=topic_of(topic), pick=round(pick_of(topic), 2))


def group_of(report: GroupReport) -> SuspectedGroup:
    """Return a suspected group as it is answered."""
    return SuspectedGroup.model_validate(report, from_attributes=True)
