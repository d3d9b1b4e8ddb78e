"""The background work that asks sentiment-service: for texts, and after that towards the entities in them."""

from __future__ import annotations

from collections.abc import Callable

from castor_chassis import Chassis
from twitter_service.clients.sentiment import SentimentClient
from twitter_service.scoring.target_repository import TargetStore
from twitter_service.scoring.target_scorer import TargetFiller
from twitter_service.scoring.text_scorer import ScoreFiller, together
from twitter_service.settings import TwitterSettings
from twitter_service.tweets.repository import TweetStore


def spawn_fillers(
    chassis: Chassis,
    settings: TwitterSettings,
    tweets: TweetStore,
    targets: TargetStore,
    *,
    on_scored: Callable[[], None],
) -> Callable[[], None]:
    """Start the work, and return what to call when tweets were stored. One lease holds both: they share the peer."""
    peer = chassis.peer("sentiment-service", settings.sentiment_url)
    sentiment = SentimentClient(peer, timeout_seconds=settings.sentiment_timeout_seconds)
    judge = TargetFiller(targets, sentiment, batch_size=settings.target_batch_size, default_lang=settings.default_lang)

    def on_news() -> None:
        on_scored()
        judge.ask()

    filler = ScoreFiller(
        tweets,
        sentiment,
        batch_size=settings.score_batch_size,
        in_flight=settings.score_batches_in_flight,
        default_lang=settings.default_lang,
        on_news=on_news,
    )

    chassis.spawn_under_lease("score_tweets", lambda: together(filler.run(), judge.run()))
    return filler.ask
