"""The tweets behind the topics of one question."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from trending_service.detection.crowd import Crowd
from trending_service.signals.counts import HourlyCounts, Ints, WindowPosts
from trending_service.signals.model import StoredTweet, TweetColumns

THIN_BASELINE = 100
"""With fewer tweets before the window it is not known what is usual: ``degraded: ["baseline"]``."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The tweets of a window, oldest first; the same as arrays; the rows of each term; what was before.

    ``rows`` maps the ids of the tweets to their places; ``suspected`` are the accounts of suspected groups; ``crowds``
    those that write the window.
    """

    tweets: TweetColumns
    rows: Mapping[int, int]
    window: WindowPosts
    terms: Mapping[str, Ints]
    counts: HourlyCounts
    suspected: frozenset[str]
    crowds: Sequence[Crowd]

    @property
    def is_thin(self) -> bool:
        """Tell whether too few tweets are stored of the days before to know what is usual."""
        return self.counts.total < THIN_BASELINE

    def of(self, ids: Collection[int]) -> list[StoredTweet]:
        """Return the tweets with these ids, oldest first."""
        return [self.tweets[row] for row in sorted(self.rows[number] for number in ids if number in self.rows)]

    def by_suspected(self, tweet: StoredTweet) -> bool:
        """Tell whether a tweet comes from a suspected group, or repeats one."""
        return tweet.voice in self.suspected or tweet.author in self.suspected
