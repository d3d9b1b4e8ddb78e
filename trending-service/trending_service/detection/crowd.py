"""How many accounts write the tweets of a window, with and without those of a term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trending_service.signals.author_diversity import effective_authors_of
from trending_service.signals.counts import Floats, Ints, WindowPosts


@dataclass(frozen=True, slots=True)
class Crowd:
    """The accounts of a window. ``accounts`` is by tweet the row of its account in the other arrays.

    ``written`` counts the tweets of each account, ``heard`` those that count: of a suspected group at most one.
    """

    accounts: Ints
    written: Ints
    heard: Ints
    tweets: int
    sum_n_log_n: float

    def size(self) -> float:
        """Return the effective number of accounts."""
        return effective_authors_of(self.tweets, self.sum_n_log_n)

    def without(self, posts: Ints) -> float:
        """Return the effective number of accounts of all tweets but ``posts``, each named once."""
        rows, taken = np.unique(self.accounts[posts], return_counts=True)
        before = self.heard[rows]
        after = np.minimum(before, self.written[rows] - taken)
        change = _n_log_n(after).sum() - _n_log_n(before).sum()
        return effective_authors_of(int(self.tweets + after.sum() - before.sum()), float(self.sum_n_log_n + change))


def crowd_of(window: WindowPosts) -> Crowd:
    """Return the accounts of a window."""
    names, accounts, written = np.unique(window.authors, return_inverse=True, return_counts=True)
    heard = np.where(names < 0, np.minimum(written, 1), written)
    return Crowd(accounts, written, heard, int(heard.sum()), float(_n_log_n(heard).sum()))


def _n_log_n(counts: Ints) -> Floats:
    return np.asarray(counts * np.log(np.maximum(counts, 1)))
