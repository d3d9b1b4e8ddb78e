"""How many accounts write the tweets of a window, with and without those of a term."""

from __future__ import annotations

import math
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

    def most(self) -> float:
        """Return 1 + the effective number of all accounts but the busiest.

        It is the most that ``size`` could be, whatever part of the tweets the busiest account had written.
        """
        busiest = int(self.heard.max(initial=0))
        if busiest == 0:
            return 0.0
        return 1 + effective_authors_of(self.tweets - busiest, self.sum_n_log_n - busiest * math.log(busiest))

    def without(self, posts: Ints) -> Crowd:
        """Return the accounts of all tweets but ``posts``, each named once."""
        rows, taken = np.unique(self.accounts[posts], return_counts=True)
        written, heard = self.written.copy(), self.heard.copy()
        written[rows] -= taken
        heard[rows] = np.minimum(heard[rows], written[rows])
        change = _n_log_n(heard[rows]).sum() - _n_log_n(self.heard[rows]).sum()
        tweets = int(self.tweets + heard[rows].sum() - self.heard[rows].sum())
        return Crowd(self.accounts, written, heard, tweets, float(self.sum_n_log_n + change))

    def usual(self, posts: Ints) -> float:
        """Return how many of ``posts`` count if an account counts once and as often as is usual for it among so many.

        ``posts`` are none of the tweets that are counted here. What is usual for an account is its share here, or an
        equal share of ``most`` where that is more: the sum over accounts of min(own, 1 + n max(share, 1 / most)).
        """
        rows, own = np.unique(self.accounts[posts], return_counts=True)
        shares = np.maximum(self.heard[rows] / max(1, self.tweets), 1 / max(1.0, self.most()))
        return float(np.minimum(own, 1 + len(posts) * shares).sum())


def crowd_of(tweets: Ints) -> Crowd:
    """Return the accounts of ``tweets``, which holds the number of the account of each; below zero for a group."""
    names, accounts, written = np.unique(tweets, return_inverse=True, return_counts=True)
    heard = np.where(names < 0, np.minimum(written, 1), written)
    return Crowd(accounts, written, heard, int(heard.sum()), float(_n_log_n(heard).sum()))


def crowds_of(window: WindowPosts) -> list[Crowd]:
    """Return the accounts of a window, in each of the ways that they are told."""
    return [crowd_of(accounts) for accounts in window.told]


def _n_log_n(counts: Ints) -> Floats:
    return np.asarray(counts * np.log(np.maximum(counts, 1)))
