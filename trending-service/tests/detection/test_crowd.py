"""The accounts of a window without those of a term, as counting them anew would give."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trending_service.detection.crowd import crowd_of
from trending_service.signals.author_diversity import effective_authors
from trending_service.signals.counts import WindowPosts

TWEETS = st.lists(st.tuples(st.integers(-3, 8), st.booleans()), max_size=60)


def _counted(authors: list[int]) -> float:
    # An account below zero stands for a suspected group, which counts once.
    return effective_authors(1 if author < 0 else tweets for author, tweets in Counter(authors).items())


@given(TWEETS)
def test_the_accounts_of_the_other_tweets_are_those_that_counting_them_gives(tweets: list[tuple[int, bool]]) -> None:
    """For any accounts and groups, and any of their tweets left out."""
    authors = [author for author, _ in tweets]
    nothing = np.zeros(len(authors), dtype=np.int64)
    crowd = crowd_of(WindowPosts(3600, nothing, nothing, np.array(authors, dtype=np.int64)))
    taken = np.array([row for row, (_, is_taken) in enumerate(tweets) if is_taken], dtype=np.int64)
    assert crowd.size() == pytest.approx(_counted(authors))
    assert crowd.without(taken) == pytest.approx(_counted([author for author, is_taken in tweets if not is_taken]))
