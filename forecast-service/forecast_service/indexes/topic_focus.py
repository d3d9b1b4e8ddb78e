"""Topic focus: an entity's tweets on one topic over its tweets on all topics, in a span of days.

IFT(c, k) = V(c, k) / sum over j of V(c, j), in [0, 1], where V(c, k) are the tweets of entity c on topic k: the index
of the platform that CASTOR replaces, which never computed it. Topics are the axes of the Plan Nacional de Desarrollo.
A tweet on two of them counts for both, so the shares add up to 1. Its source is the counts by axis alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from forecast_service.clients.twitter import DailyAxes
from forecast_service.indexes.model import Focus
from forecast_service.indexes.sampling import focus_error


def focus_of(days: Iterable[DailyAxes]) -> list[Focus]:
    """Return the share of each topic that is named, the largest first; without any there is none."""
    tweets: Counter[str] = Counter()
    mentions: Counter[str] = Counter()
    for day in days:
        for axis in day.axes:
            tweets[axis.axis] += axis.tweets
            mentions[axis.axis] += axis.mentions
    whole = tweets.total(), mentions.total()
    return [
        Focus(axis, own, own / whole[0], focus_error(own, mentions[axis], *whole))
        for axis, own in sorted(tweets.items(), key=lambda one: (-one[1], one[0]))
        if own
    ]
