"""A stream of tweets with a known truth: rhythms, evergreens, weekly shows, bursts, honest spikes and floods.

Nothing here knows how the detector works. ``DEVELOPMENT`` is what thresholds may be chosen on; the figures that are
reported come from ``HELD_OUT``, which differs in its seed, its size, its vocabulary and the shape of its bursts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
FIRST_MOMENT = 1_650_000_000 // DAY * DAY
"""Seconds since 1970 at which the stream begins, at midnight UTC in April 2022."""
HOURS_OF_DAY = np.array([2, 1, 1, 1, 1, 2, 4, 7, 8, 8, 7, 7, 8, 8, 7, 6, 6, 7, 9, 11, 11, 9, 6, 3], dtype=float)
DAYS_OF_WEEK = np.array([1.05, 1.0, 1.0, 1.05, 1.0, 0.8, 0.75])
SYLLABLES = [
    "ba", "be", "bi", "bo", "bu", "ca", "co", "cu", "cha", "da", "de", "di", "do", "fa", "fe", "fi", "ga", "go",
    "gue", "ja", "jo", "la", "le", "li", "lo", "lu", "lla", "ma", "me", "mi", "mo", "na", "ne", "ni", "no", "pa",
    "pe", "pi", "po", "que", "ra", "re", "ri", "ro", "rre", "sa", "se", "si", "so", "ta", "te", "ti", "to", "tra",
    "va", "ve", "vi", "ya", "zo", "zu",
]  # fmt: skip


@dataclass(frozen=True)
class World:
    """What a stream is made from."""

    seed: int
    days: int = 42
    quiet_days: int = 28
    """Days in the beginning without a burst or a flood."""
    tweets_a_day: int = 1500
    accounts: int = 900
    words: int = 5000
    zipf: float = 1.05
    daily_fluctuation: float = 0.4
    """Standard deviation of the logarithm of a word's rate from day to day."""
    evergreens: int = 8
    shows: int = 2
    bursts: int = 200
    burst_sizes: tuple[int, int] = (8, 120)
    burst_minutes: tuple[int, int] = (20, 480)
    floods_of_few: int = 20
    floods_of_groups: int = 20
    spikes: int = 10
    """Moments at which many people write of one thing within two minutes; they count as bursts."""


DEVELOPMENT = (World(seed=1), World(seed=2, tweets_a_day=1000, accounts=500, words=4000))
HELD_OUT = (
    World(seed=9101, tweets_a_day=2000, accounts=1500, words=7000, daily_fluctuation=0.5, burst_sizes=(9, 90)),
    World(seed=9102, tweets_a_day=1200, zipf=1.15, evergreens=12, shows=4, burst_minutes=(10, 600), spikes=20),
)


@dataclass(frozen=True, slots=True)
class Tweet:
    """``event`` is the number of the event in the truth that made it, None for the usual stream."""

    at: float
    author: str
    text: str
    event: int | None = None


@dataclass(slots=True)
class Event:
    """Something that was injected: ``kind`` is burst, few or group; ``terms`` are its words, the first its name."""

    kind: str
    terms: tuple[str, ...]
    tweets: list[Tweet] = field(default_factory=list)
    accounts: frozenset[str] = frozenset()

    @property
    def start(self) -> float:
        """Return when its first tweet was written."""
        return min(tweet.at for tweet in self.tweets)

    @property
    def end(self) -> float:
        """Return when its last tweet was written."""
        return max(tweet.at for tweet in self.tweets)


@dataclass(frozen=True)
class Made:
    """A stream in order of time, and what is in it."""

    world: World
    tweets: list[Tweet]
    events: list[Event]
    first_question: float


def make(world: World) -> Made:
    """Return the stream of ``world``, always the same."""
    return _Maker(world).run()


class _Maker:
    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = np.random.default_rng(world.seed)
        self.vocabulary = self._names(world.words, 2, 4)
        self.accounts = [f"cuenta{number}" for number in range(world.accounts)]
        activity = self.chance.pareto(1.3, world.accounts) + 0.2
        self.activity = activity / activity.sum()
        ranks = np.arange(1, world.words + 1, dtype=float) ** -world.zipf
        self.base = ranks / ranks.sum()
        self.today = _cumulated(self.base)
        self.busy = _cumulated(self.activity)
        self.evergreens = ["#" + name.capitalize() for name in self._names(world.evergreens, 3, 4)]
        self.shares = self.chance.uniform(0.01, 0.12, world.evergreens)
        self.greeting = "#Feliz" + self._names(1, 2, 3)[0].capitalize()
        self.taken = set(self.vocabulary)

    def run(self) -> Made:
        usual = list(self._usual())
        usual += [tweet for _ in range(self.world.shows) for tweet in self._show()]
        usual.sort(key=lambda tweet: tweet.at)
        events = [*self._bursts(), *self._floods()]
        copies = list(self._retweets(usual + [tweet for event in events for tweet in event.tweets]))
        tweets = sorted(
            usual + copies + [tweet for event in events for tweet in event.tweets], key=lambda tweet: tweet.at
        )
        return Made(self.world, tweets, events, FIRST_MOMENT + self.world.quiet_days * DAY)

    def _names(self, count: int, shortest: int, longest: int) -> list[str]:
        names: dict[str, None] = {}
        while len(names) < count:
            names["".join(self.chance.choice(SYLLABLES, self.chance.integers(shortest, longest + 1)))] = None
        return [name for name in names if len(name) > 3] or self._names(count, shortest + 1, longest)

    def _new_name(self) -> str:
        name = "".join(self.chance.choice(SYLLABLES, 4))
        while name in self.taken:
            name = "".join(self.chance.choice(SYLLABLES, 4))
        self.taken.add(name)
        return name

    def _author(self) -> str:
        return self.accounts[int(self.busy.searchsorted(self.chance.random(), side="right"))]

    def _words(self, count: int) -> list[str]:
        picked = self.today.searchsorted(self.chance.random(count), side="right")
        return [self.vocabulary[min(number, len(self.vocabulary) - 1)] for number in picked]

    def _text(self, *own: str, least: int = 4, most: int = 11) -> str:
        words = self._words(int(self.chance.integers(least, most)))
        for term in own:
            words.insert(int(self.chance.integers(0, len(words) + 1)), term)
        return " ".join(words)

    def _usual(self) -> Iterator[Tweet]:
        drift = np.zeros(self.world.words)
        share_drift = np.zeros(self.world.evergreens)
        rates = HOURS_OF_DAY / HOURS_OF_DAY.mean() * self.world.tweets_a_day / 24
        for day in range(self.world.days):
            drift = 0.7 * drift + self.chance.normal(0, 0.7 * self.world.daily_fluctuation, len(drift))
            share_drift = 0.7 * share_drift + self.chance.normal(0, 0.3, len(share_drift))
            weights = self.base * np.exp(drift)
            self.today = _cumulated(weights / weights.sum())
            noise = np.exp(self.chance.normal(0, 0.15))
            for hour in range(24):
                mean = rates[hour] * DAYS_OF_WEEK[day % 7] * noise * np.exp(self.chance.normal(0, 0.15))
                for _ in range(self.chance.poisson(mean)):
                    yield self._usual_tweet(day, hour, self.shares * np.exp(share_drift))

    def _usual_tweet(self, day: int, hour: int, shares: NDArray[np.float64]) -> Tweet:
        own = [tag for tag, share in zip(self.evergreens, shares, strict=True) if self.chance.random() < share]
        if hour in (6, 7, 8) and self.chance.random() < 0.4:
            own.append(self.greeting)
        if self.chance.random() < 0.15:
            own.append("@" + self._author())
        at = FIRST_MOMENT + day * DAY + hour * 3600 + self.chance.uniform(0, 3600)
        return Tweet(at, self._author(), self._text(*own))

    def _show(self) -> Iterator[Tweet]:
        tag = "#" + self._new_name().capitalize()
        weekday, hour = int(self.chance.integers(0, 7)), int(self.chance.integers(18, 22))
        for week in range(self.world.days // 7):
            begin = FIRST_MOMENT + (7 * week + weekday) * DAY + hour * 3600 + self.chance.uniform(-900, 900)
            for _ in range(int(self.chance.integers(15, 45))):
                at = begin + abs(self.chance.normal(0, 2400))
                yield Tweet(at, self._author(), self._text(tag))

    def _when(self) -> float:
        # As people write: more in the evening than at night.
        day = self.chance.integers(self.world.quiet_days, self.world.days)
        hour = self.chance.choice(24, p=HOURS_OF_DAY / HOURS_OF_DAY.sum())
        return float(FIRST_MOMENT + day * DAY + hour * 3600 + self.chance.uniform(0, 3600))

    def _bursts(self) -> Iterator[Event]:
        for number in range(self.world.bursts):
            yield self._burst(number, spike=number < self.world.spikes)

    def _burst(self, number: int, *, spike: bool) -> Event:
        low, high = np.log(self.world.burst_sizes)
        size = int(np.exp(self.chance.uniform(low, high)))
        terms = self._burst_terms()
        begin = self._when()
        low, high = np.log(self.world.burst_minutes)
        length = 120.0 if spike else 60 * float(np.exp(self.chance.uniform(low, high)))
        shape = float(self.chance.uniform(1.2, 3))
        event = Event("burst", terms)
        for _ in range(size):
            at = begin + length * min(1.0, self.chance.gamma(shape, 0.25 / shape))
            used = terms[:1] if len(terms) == 1 or self.chance.random() < 0.6 else terms
            event.tweets.append(Tweet(at, self._author(), self._text(*used, least=3, most=9), number))
        return event

    def _burst_terms(self) -> tuple[str, ...]:
        kind = self.chance.random()
        if kind < 0.5:
            name = self._new_name().capitalize()
            return ("#" + name, name.lower()) if kind < 0.15 else ("#" + name,)
        if kind < 0.8:
            return (f"{self._new_name().capitalize()} {self._new_name().capitalize()}",)
        if kind < 0.9:
            # A rare word of every day that suddenly everybody uses.
            return (self.vocabulary[int(self.chance.integers(len(self.vocabulary) // 2, len(self.vocabulary)))],)
        return (self._new_name(), self._new_name())

    def _floods(self) -> Iterator[Event]:
        number = self.world.bursts
        for index in range(self.world.floods_of_few + self.world.floods_of_groups):
            maker = self._flood_of_few if index < self.world.floods_of_few else self._flood_of_group
            yield maker(number + index)

    def _flood_of_few(self, number: int) -> Event:
        accounts = list(self.chance.choice(self.accounts, int(self.chance.integers(1, 4)), replace=False))
        tag = "#" + self._new_name().capitalize()
        begin, length = self._when(), self.chance.uniform(1800, 10_800)
        event = Event("few", (tag,), accounts=frozenset(accounts))
        for _ in range(int(self.chance.integers(15, 61))):
            at = begin + self.chance.uniform(0, length)
            event.tweets.append(Tweet(at, str(self.chance.choice(accounts)), self._text(tag), number))
        return event

    def _flood_of_group(self, number: int) -> Event:
        members = [f"grupo{number}x{index}" for index in range(int(self.chance.integers(5, 16)))]
        half = len(members) // 2
        members[:half] = [str(name) for name in self.chance.choice(self.accounts, half, replace=False)]
        tag = "#" + self._new_name().capitalize()
        link = f"https://{self._new_name()}.example/{self._new_name()}"
        style = self.chance.choice(["copied", "varied", "linked"])
        event = Event("group", (tag,), accounts=frozenset(members))
        at = self._when()
        for _ in range(int(self.chance.integers(4, 11))):
            text = self._text(tag)
            for member in members:
                if self.chance.random() < 0.8:
                    own = {"copied": text, "varied": self._text(tag), "linked": self._text(tag, link)}[str(style)]
                    event.tweets.append(Tweet(at + self.chance.uniform(0, 25), member, own, number))
            at += self.chance.uniform(300, 2400)
        return event

    def _retweets(self, originals: list[Tweet]) -> Iterator[Tweet]:
        for _ in range(int(0.12 * len(originals))):
            tweet = originals[int(self.chance.integers(len(originals)))]
            at = tweet.at + self.chance.exponential(5400)
            yield Tweet(at, self._author(), f"RT @{tweet.author}: {tweet.text}", tweet.event)


def _cumulated(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    # What ``Generator.choice`` makes of weights at each call, made once.
    sums = weights.cumsum()
    return np.asarray(sums / sums[-1])
