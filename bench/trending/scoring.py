"""Asks a detector again and again over a stream and compares what it says with the truth."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.trending.generator import DAY, Event, Made
from bench.trending.memory import Detector, MemoryStream
from trending_service.detection.clusters import Cluster
from trending_service.text.terms import term_key

STEP_SECONDS = 600
WINDOW_SECONDS = 3 * 3600
MUTE_SECONDS = DAY
"""A topic that is named again within this time is the same alarm."""
Groups = Callable[[float], dict[int, int]]


@dataclass
class Outcome:
    """What a detector found of a stream."""

    bursts: int
    days: float
    delays: list[float] = field(default_factory=list)
    """Seconds from the first tweet of each burst that was found to the first topic that names it."""
    false_alarms: dict[str, int] = field(default_factory=dict)
    floods: int = 0
    promoted: set[int] = field(default_factory=set)
    """Numbers of the floods that stood among the first five topics at any time."""

    @property
    def recall(self) -> float:
        """Return the share of bursts that were found."""
        return len(self.delays) / self.bursts

    @property
    def precision(self) -> float:
        """Return the share of alarms that name a burst."""
        alarms = len(self.delays) + sum(self.false_alarms.values())
        return len(self.delays) / alarms if alarms else 0.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def median_delay_minutes(self) -> float:
        """Return the median of the delays."""
        return statistics.median(self.delays) / 60 if self.delays else float("nan")

    @property
    def false_alarms_a_day(self) -> float:
        """Return how many topics a day name nothing that was there."""
        return sum(self.false_alarms.values()) / self.days


def run(
    made: Made, stream: MemoryStream, detector: Detector, groups: Groups | None = None, step_seconds: int = STEP_SECONDS
) -> Outcome:
    """Ask ``detector`` again and again from the first question to the end of the stream."""
    end = made.tweets[-1].at
    bursts = sum(event.kind == "burst" for event in made.events)
    outcome = Outcome(bursts, (end - made.first_question) / DAY, floods=len(made.events) - bursts)
    keys = [frozenset(_keys(event)) for event in made.events]
    spans = [(event.start, event.end) for event in made.events]
    found: dict[int, float] = {}
    muted: dict[str, float] = {}
    at = made.first_question
    while at <= end:
        question = stream.ask(at, WINDOW_SECONDS, groups=groups(at) if groups else None)
        for rank, topic in enumerate(stream.topics(question, detector(question))):
            _judge(topic, rank, at, keys, spans, made.events, found, muted, outcome)
        at += step_seconds
    outcome.delays = [at - made.events[number].start for number, at in found.items()]
    return outcome


def _keys(event: Event) -> list[str]:
    words = [word for term in event.terms for word in term.split()]
    return [key for text in (*event.terms, *words) if (key := term_key(text))]


def _judge(
    topic: Cluster, rank: int, at: float, keys: list[frozenset[str]], spans: list[tuple[float, float]],
    events: list[Event], found: dict[int, float], muted: dict[str, float], outcome: Outcome,
) -> None:  # fmt: skip
    terms = {part for term in topic.members for part in (term.key, *term.key.split())}
    near = [
        number
        for number, (start, end) in enumerate(spans)
        if start <= at <= end + WINDOW_SECONDS + 3 * 5400 and terms & keys[number]
    ]
    for number in near:
        if events[number].kind == "burst":
            found.setdefault(number, at)
        elif rank < 5:
            outcome.promoted.add(number)
    if not near:
        if at - muted.get(topic.label.key, -DAY) >= MUTE_SECONDS:
            outcome.false_alarms[topic.label.key] = outcome.false_alarms.get(topic.label.key, 0) + 1
        muted[topic.label.key] = at
