"""Share of voice: an entity's tweets over those of all tracked entities together, in a span of days.

It differs from ICR, whose base is every stored tweet. Its source is the daily counts alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from forecast_service.clients.twitter import DailyCount
from forecast_service.indexes.model import Voice
from forecast_service.indexes.sampling import share_error


def voices(counts: Iterable[DailyCount]) -> list[Voice]:
    """Return the share of each counted entity, the largest first; no tweets at all give no shares."""
    tweets: Counter[str] = Counter()
    for count in counts:
        tweets[count.entity] += count.tweets
    total = tweets.total()
    if not total:
        return []
    return [Voice(entity, own, own / total, share_error(own, total)) for entity, own in tweets.most_common()]
