"""What a back-test computes: origins, forecasts from one of them, and the scores of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from forecast_service.backtests.model import Made, MethodScore, OriginResult, PastForecast, Plan, Report, StepScore
from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.history import least_half_width
from forecast_service.forecasts.model import Question
from forecast_service.forecasts.scale import Vector


def origins_of(plan: Plan, minimum_days: int) -> list[int]:
    """Return the places that forecasts are made from, oldest first: the first day that each does not know.

    At each at least ``minimum_days`` days were observed before, the last of them the day before.
    """
    known = np.array([value is not None for value in plan.values])
    observed = np.cumsum(known)
    last = len(plan.values) - 1
    places = range(last, 0, -plan.every)
    usable = [place for place in places if known[place - 1] and observed[place - 1] >= minimum_days]
    return usable[: plan.origins][::-1]


def forecasts_from(plan: Plan, place: int) -> OriginResult:
    """Return the forecasts of every method from the days before ``place``."""
    known, least = plan.values[:place], plan.least_half_width
    if plan.half_widths is not None:
        least = least_half_width(known, plan.half_widths[:place])
    made = []
    for method in plan.methods:
        one = forecast(
            Question(
                values=known,
                horizon=plan.horizon,
                level=plan.level,
                method=method,
                bounds=plan.bounds,
                least_half_width=least,
            )
        )
        made.append(Made(method, one.values, one.lows, one.highs))
    return OriginResult(place, made)


def report(plan: Plan, results: Sequence[OriginResult]) -> Report:
    """Return the scores of each method, the plan's order kept, and the forecasts of the first."""
    observed = np.array([np.nan if value is None else value for value in plan.values])
    actual = _actual(plan, results, observed)
    naive = np.array([[observed[one.place - 1]] * plan.horizon for one in results]) - actual
    scores = [_scores(plan, results, at, actual, naive) for at in range(len(plan.methods))] if results else []
    return Report(scores, [past for one in results for past in _past(plan, one)])


def _actual(plan: Plan, results: Sequence[OriginResult], observed: Vector) -> Vector:
    """Return what came, by origin and step, NaN where it is not known."""
    padded = np.concatenate([observed, np.full(plan.horizon, np.nan)])
    return np.array([padded[one.place : one.place + plan.horizon] for one in results])


def _scores(plan: Plan, results: Sequence[OriginResult], at: int, actual: Vector, naive: Vector) -> MethodScore:
    values, lows, highs = (
        np.array([getattr(one.made[at], name) for one in results]) for name in ("values", "lows", "highs")
    )
    beyond = np.maximum(lows - actual, 0) + np.maximum(actual - highs, 0)
    winkler = highs - lows + 2 / (1 - plan.level) * beyond
    parts = (values - actual, naive, beyond, winkler)
    steps = [_score(step + 1, *(part[:, step] for part in parts)) for step in range(plan.horizon)]
    return MethodScore(plan.methods[at], _score(0, *(part.ravel() for part in parts)), steps)


def _score(step: int, errors: Vector, naive: Vector, beyond: Vector, winkler: Vector) -> StepScore:
    known = ~np.isnan(errors)
    if not known.any():
        return StepScore(step, 0, None, None, None, None)
    error, theirs = float(np.abs(errors[known]).mean()), float(np.abs(naive[known]).mean())
    return StepScore(
        step=step,
        judged=int(known.sum()),
        error=error,
        skill=1 - error / theirs if theirs else None,
        coverage=float((beyond[known] == 0).mean()),
        winkler=float(winkler[known].mean()),
    )


def _past(plan: Plan, result: OriginResult) -> list[PastForecast]:
    made = result.made[0]
    rows = enumerate(zip(made.values, made.lows, made.highs, strict=True))
    return [
        PastForecast(
            plan.first + timedelta(days=result.place + ahead), ahead + 1, value, low, high,
            plan.values[result.place + ahead] if result.place + ahead < len(plan.values) else None,
        )
        for ahead, (value, low, high) in rows
    ]  # fmt: skip
