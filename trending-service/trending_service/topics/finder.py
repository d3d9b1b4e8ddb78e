"""From a question about a moment to topics: test every term, merge terms of one subject, describe the topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from trending_service.detection.burst import Burst, benjamini_hochberg, burst_of
from trending_service.detection.clusters import BurstingTerm, Cluster, cluster
from trending_service.signals.author_diversity import effective_authors
from trending_service.signals.model import Observed, StoredTweet, Stream, TermUse
from trending_service.signals.repository import SignalRepository
from trending_service.text.terms import words_of
from trending_service.topics.description import describe
from trending_service.topics.model import Method, Question, Topic, TopicList

MAX_TERMS = 400
"""Strongest terms whose tweets are read and that are clustered into topics."""
COMMON_WORD_SCORE = 3.0
"""Least score of a topic whose label is a lone common word; it also needs three tweets and two accounts."""
THIN_BASELINE = 100
"""With fewer tweets in the baseline the answer is marked ``degraded: ["baseline"]``."""


async def find_topics(signals: SignalRepository, method: Method, question: Question) -> TopicList:
    """Return the topics of a question, strongest first. Tweets created after ``as_of`` do not change the answer."""
    window = method.window(question)
    whole = await signals.window(window)
    candidates = await signals.candidates(window, min_tweets=question.min_tweets, limit=method.max_candidates)
    bursting = significant(candidates, whole.stream, method.false_discovery_rate)
    uses = await signals.uses(window, list(bursting))
    terms = [_term(use, bursting[use.key]) for use in uses]
    clusters = cluster(terms)[: 2 * question.limit]
    topics = await _described(signals, method, question, clusters, whole.stream)
    return TopicList(
        items=topics[: question.limit],
        as_of=question.as_of,
        window_hours=question.window_hours,
        baseline_days=method.baseline_days,
        tweets_in_window=whole.stored,
        tweets_in_baseline=whole.stream.baseline.total,
        terms_tested=len(candidates),
        degraded=["baseline"] if whole.stream.baseline.total < THIN_BASELINE else None,
    )


def significant(candidates: Mapping[str, Observed], stream: Stream, rate: float) -> dict[str, Burst]:
    """Return the terms that pass Benjamini-Hochberg at ``rate``, strongest first, at most ``MAX_TERMS``."""
    bursts = {term: burst_of(observed, stream) for term, observed in sorted(candidates.items())}
    passed = benjamini_hochberg([-burst.score for burst in bursts.values()], rate)
    kept = [item for item, holds in zip(bursts.items(), passed, strict=True) if holds]
    return dict(sorted(kept, key=lambda item: (-item[1].score, item[0]))[:MAX_TERMS])


def _term(use: TermUse, burst: Burst) -> BurstingTerm:
    return BurstingTerm(use.key, use.kind, use.spelling, words_of(use.spelling), burst.score, use.tweets)


async def _described(
    signals: SignalRepository, method: Method, question: Question, clusters: Sequence[Cluster], stream: Stream
) -> list[Topic]:
    window = method.window(question)
    ids = {tweet for found in clusters for tweet in found.tweets}
    tweets = await signals.tweets(window, ids)
    baselines = await signals.topic_baselines(window, [[term.key for term in found.members] for found in clusters])
    topics = []
    for found, baseline in zip(clusters, baselines, strict=True):
        # A tweet deleted since its terms were read is left out.
        mine = [tweet for number, tweet in tweets.items() if number in found.tweets]
        diversity = effective_authors(Counter(tweet.author for tweet in mine).values())
        burst = burst_of(Observed(len(mine), diversity, baseline), stream)
        if mine and burst.score > 0 and not _is_weak_common_word(found, mine, burst.score):
            topics.append(describe(found, mine, burst, baseline.total, question, method))
    return sorted(topics, key=lambda topic: (-topic.score, topic.topic))


def _is_weak_common_word(found: Cluster, tweets: Sequence[StoredTweet], score: float) -> bool:
    # Among thousands of common words some burst by chance, or by the habit of one author: they need more evidence.
    if not found.label.is_common_word:
        return False
    return score < COMMON_WORD_SCORE or len(tweets) < 3 or len({tweet.author for tweet in tweets}) == 1
