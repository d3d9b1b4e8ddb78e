"""The accounts of a window without those of a term, as counting them anew would give."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trending_service.detection.crowd import crowd_of
from trending_service.signals.author_diversity import effective_authors

TWEETS = st.lists(st.tuples(st.integers(-3, 8), st.booleans()), max_size=60)


def _counted(authors: list[int]) -> float:
    # An account below zero stands for a suspected group, which counts once.
    return effective_authors(1 if author < 0 else tweets for author, tweets in Counter(authors).items())


@given(TWEETS)
def test_the_accounts_of_the_other_tweets_are_those_that_counting_them_gives(tweets: list[tuple[int, bool]]) -> None:
    """For any accounts and groups, and any of their tweets left out."""
    authors = [author for author, _ in tweets]
    crowd = crowd_of(np.array(authors, dtype=np.int64))
    taken = np.array([row for row, (_, is_taken) in enumerate(tweets) if is_taken], dtype=np.int64)
    assert crowd.size() == pytest.approx(_counted(authors))
    left = [author for author, is_taken in tweets if not is_taken]
    assert crowd.without(taken).size() == pytest.approx(_counted(left))


@given(st.lists(st.integers(-3, 8), max_size=60))
def test_most_is_one_more_than_the_accounts_beside_the_busiest(authors: list[int]) -> None:
    """And no less than the effective number of all: equal accounts are as many."""
    heard = sorted(1 if author < 0 else tweets for author, tweets in Counter(authors).items())
    crowd = crowd_of(np.array(authors, dtype=np.int64))
    assert crowd.most() == pytest.approx(1 + effective_authors(heard[:-1]) if heard else 0)
    assert crowd.most() >= crowd.size() - 1e-9


def test_four_equal_accounts_are_four_and_a_busy_one_beside_four_hundred_is_one_more() -> None:
    """However much the busiest writes."""
    assert crowd_of(np.array([1, 2, 3, 4] * 5)).most() == pytest.approx(4)
    dominated = crowd_of(np.array([0] * 1200 + list(range(1, 401))))
    assert dominated.size() < 9
    assert dominated.most() == pytest.approx(401)


def test_each_account_counts_once_and_by_its_share_of_the_other_tweets() -> None:
    """Account 0 wrote three quarters of them, account 900 none: it is taken for one of 401 equally busy ones."""
    others = [0] * 1200 + list(range(1, 401))
    crowd = crowd_of(np.array(others + [0] * 9 + [900] * 3 + [999] * 20))
    posts = np.arange(len(others), len(others) + 32)
    rest = crowd.without(posts)
    assert rest.usual(posts[:12]) == pytest.approx(9 + 1 + 12 / 401)
    assert rest.usual(posts[12:]) == pytest.approx(1 + 20 / 401)
    assert rest.usual(posts[:0]) == 0
