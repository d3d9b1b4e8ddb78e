"""Composition of scoring: texts, then the sentiment towards the entities in them, and both again for a new model."""

from __future__ import annotations

from collections.abc import Callable

from castor_chassis import Chassis, Wakeup
from twitter_service.clients.sentiment import SentimentClient
from twitter_service.rejudging.answer_repository import AnswerRepository
from twitter_service.rejudging.version_repository import VersionRepository
from twitter_service.rejudging.worker import FreshWork, Rejudger
from twitter_service.scoring.run_all import run_all
from twitter_service.scoring.score_repository import ScoreRepository
from twitter_service.scoring.target_repository import TargetRepository
from twitter_service.scoring.target_scorer import TargetScorer
from twitter_service.scoring.text_scorer import TextScorer
from twitter_service.settings import TwitterSettings


def start_scoring(
    chassis: Chassis[TwitterSettings],
    targets: TargetRepository,
    *,
    stored: Wakeup,
    on_scored: Callable[[], None],
) -> None:
    """Start what asks sentiment-service, under one lease. ``stored`` says that tweets were stored."""
    settings = chassis.settings
    peer = chassis.peer("sentiment-service", settings.sentiment_url)
    sentiment = SentimentClient(peer, timeout_seconds=settings.sentiment_timeout_seconds)
    texts_scored = Wakeup()

    def after_batch() -> None:
        on_scored()
        texts_scored.set()

    texts = ScoreRepository(chassis.postgres)
    text_scorer = TextScorer(
        texts,
        sentiment,
        stored,
        batch_size=settings.score_batch_size,
        in_flight=settings.score_batches_in_flight,
        default_lang=settings.default_lang,
        on_scored=after_batch,
    )
    target_scorer = TargetScorer(
        targets, sentiment, texts_scored, batch_size=settings.target_batch_size, default_lang=settings.default_lang
    )
    rejudger = Rejudger(
        VersionRepository(chassis.postgres),
        AnswerRepository(chassis.postgres),
        FreshWork(texts, targets),
        sentiment,
        batch_size=settings.target_batch_size,
        settle_seconds=settings.rejudge_settle_seconds,
        default_lang=settings.default_lang,
        on_change=on_scored,
    )
    chassis.spawn_under_lease("score_tweets", lambda: run_all(text_scorer.run(), target_scorer.run(), rejudger.run()))
