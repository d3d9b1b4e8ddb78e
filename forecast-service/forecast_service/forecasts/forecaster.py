"""Forecasts with intervals that the method's own past errors justify.

The method is an ensemble whose members earn their weight in back-tests, or the one that is asked for. Where the
ensemble was no better than the last value in these back-tests, the last value is the forecast.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from forecast_service.forecasts.backtest import MINIMUM_TRAINING_DAYS, back_test, fitted, skill_score
from forecast_service.forecasts.conformal import conformal_intervals
from forecast_service.forecasts.ensemble import ensemble_errors, final_weights
from forecast_service.forecasts.history import History, history_of
from forecast_service.forecasts.methods import MEMBERS, METHODS, MethodName
from forecast_service.forecasts.model import Forecast, Question
from forecast_service.forecasts.scale import Scale, Vector


def forecast(question: Question) -> Forecast:
    """Forecast the days after the last observed one. Needs at least one; the caller says what too few of them allow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about single members of which the back-test judges
        return _forecast(history_of(Scale(question.bounds).model(question.values)), question)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Methods with their weights, their errors as one, and their skill against the last value."""

    name: str
    weights: dict[MethodName, float]
    errors: Vector
    skill: float | None


def _forecast(history: History, question: Question) -> Forecast:
    scale = Scale(question.bounds)
    choice = _chosen(history, question)
    training, horizon = history.training(len(history.values)), question.horizon
    ahead = {name: fitted(METHODS[name], training, question.season)(training, horizon) for name in choice.weights}
    centre = np.sum([weight * ahead[name] for name, weight in choice.weights.items()], axis=0)
    intervals = conformal_intervals(choice.errors, question.level)
    value = scale.unit(centre)
    low = np.minimum(scale.unit(centre - intervals.half_widths), value - question.least_half_width)
    high = np.maximum(scale.unit(centre + intervals.half_widths), value + question.least_half_width)
    if _is_young(history):
        low, high = _with_what_was_usual(history, low, high, question)
    return Forecast(
        method=choice.name,
        skill=choice.skill,
        values=value.tolist(),
        lows=scale.clip(low).tolist(),
        highs=scale.clip(high).tolist(),
        coverage=intervals.coverage,
        weights={str(name): weight for name, weight in choice.weights.items()},
    )


def _chosen(history: History, question: Question) -> _Choice:
    reference = _errors(history, "naive", question)
    if _is_young(history) or not np.nansum(np.abs(reference)):
        return _Choice("naive", {"naive": 1.0}, reference, None)
    if question.method != "auto":
        errors = _errors(history, question.method, question)
        return _Choice(question.method, {question.method: 1.0}, errors, skill_score(errors, reference))
    members = np.stack([reference, *(_errors(history, name, question) for name in MEMBERS[1:])])
    errors = ensemble_errors(members)
    skill = skill_score(errors, reference)
    if skill is None or skill <= 0:
        return _Choice("naive", {"naive": 1.0}, reference, skill)
    weights = dict(zip(MEMBERS, final_weights(members).tolist(), strict=True))
    return _Choice("ensemble", weights, errors, skill)


def _errors(history: History, name: MethodName, question: Question) -> Vector:
    return back_test(history, METHODS[name], question.horizon, question.season)


def _is_young(history: History) -> bool:
    """Whether too few days passed since the last long gap for a method to be trained on them."""
    return len(history.training(len(history.values))) < MINIMUM_TRAINING_DAYS


def _with_what_was_usual(history: History, low: Vector, high: Vector, question: Question) -> tuple[Vector, Vector]:
    """Return the interval widened to what was usual: the interval of the day before the last long gap, and the range
    that held the share ``level`` of all observed days.

    Nobody knows yet whether the series is where it was before the gap, or where it is now.
    """
    before = history.before_last_stretch()
    if before is not None:
        earlier = _forecast(before, question)
        low, high = np.minimum(low, earlier.lows), np.maximum(high, earlier.highs)
    ordered = np.sort(Scale(question.bounds).unit(history.values[~np.isnan(history.values)]))
    outside = max(int((len(ordered) + 1) * (1 - question.level) / 2), 1)
    return np.minimum(low, ordered[outside - 1]), np.maximum(high, ordered[-outside])
