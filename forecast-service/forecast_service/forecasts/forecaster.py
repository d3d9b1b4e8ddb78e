"""Forecasts with intervals that the method's own past errors justify.

The method is an ensemble of structural models, which earn their weight by their errors one day ahead, and of the median
of the same weekdays, or the one that is asked for. The last value is the forecast where it never erred, and while too
little is known since a long gap.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from forecast_service.forecasts.backtest import (
    MINIMUM_TRAINING_DAYS,
    Structural,
    back_test,
    fitted,
    skill_score,
    structural_back_test,
)
from forecast_service.forecasts.conformal import conformal_intervals, erred
from forecast_service.forecasts.history import History, history_of
from forecast_service.forecasts.methods import METHODS, MethodName
from forecast_service.forecasts.model import Forecast, Question
from forecast_service.forecasts.scale import Scale, Vector
from forecast_service.forecasts.season_median import with_season_median

JUMP_DAYS = 7
_JUMP, _NOISE = 1.5, 1e-9


def forecast(question: Question) -> Forecast:
    """Forecast the days after the last observed one. Needs at least one; the caller says what too few of them allow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about single members of which the back-test judges
        scale = Scale.of(question.bounds, question.values)
        return _with_recent_jump(history_of(scale.model(question.values)), scale, question)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A method with its values ahead, its weights, its errors, and its skill against the last value."""

    name: str
    values: Vector
    weights: dict[str, float]
    errors: Vector
    skill: float | None


def _with_recent_jump(history: History, scale: Scale, question: Question) -> Forecast:
    """Return the forecast; where the last days jumped as never before, its interval also covers what was expected
    before the jump and what the last value alone would say: nobody knows yet whether the jump will stay.
    """
    made = _forecast(history, scale, question)
    place = recent_jump(history)
    if place is None:
        return made
    passed = len(history.values) - place
    longer = replace(question, horizon=question.horizon + passed)
    before = _forecast(history_of(history.values[:place]), scale, longer)
    still = _forecast(history, scale, replace(question, method="naive"))
    lows = np.minimum.reduce([made.lows, before.lows[passed:], still.lows])
    highs = np.maximum.reduce([made.highs, before.highs[passed:], still.highs])
    return replace(made, lows=lows.tolist(), highs=highs.tolist(), has_recent_jump=True)


def _forecast(history: History, scale: Scale, question: Question) -> Forecast:
    structural = structural_back_test(history, question.horizon, question.season)
    structural = with_season_median(structural, history, question.horizon, question.season)
    choice = _chosen(history, structural, question)
    spreads = structural.spreads, structural.ahead
    if choice.errors is not structural.errors:
        spreads = erred(choice.errors, *spreads)
    intervals = conformal_intervals(choice.errors, *spreads, question.level)
    widths = _bounded(intervals.half_widths, choice.errors, history)
    centre = scale.within(choice.values)
    value = scale.unit(centre)
    low = np.minimum(scale.unit(centre - widths), value - question.least_half_width)
    high = np.maximum(scale.unit(centre + widths), value + question.least_half_width)
    low, high = scale.open(low, high)
    if _is_young(history):
        low, high = _with_what_was_usual(history, low, high, scale, question)
    return Forecast(
        method=choice.name,
        skill=choice.skill,
        values=value.tolist(),
        lows=scale.clip(low).tolist(),
        highs=scale.clip(high).tolist(),
        coverage=intervals.coverage,
        weights=choice.weights,
    )


def _bounded(widths: Vector, errors: Vector, history: History) -> Vector:
    """Return the half-widths, none beyond the range of all that was seen; that range where no error is known."""
    seen = float(np.nanmax(history.values) - np.nanmin(history.values))
    return np.minimum(widths, seen) if not np.isnan(errors).all() else np.full(len(widths), seen)


def _chosen(history: History, structural: Structural, question: Question) -> _Choice:
    reference = _errors(history, "naive", question)
    if _is_young(history) or not np.nansum(np.abs(reference)):
        return _one(history, "naive", reference, None, question)
    if question.method != "auto":
        errors = _errors(history, question.method, question)
        return _one(history, question.method, errors, skill_score(errors, reference), question)
    skill = skill_score(structural.errors, reference)
    return _Choice("ensemble", structural.values, structural.weights, structural.errors, skill)


def _one(history: History, name: MethodName, errors: Vector, skill: float | None, question: Question) -> _Choice:
    training = history.training(len(history.values))
    values = fitted(METHODS[name], training, question.season)(training, question.horizon)
    return _Choice(name, values, {name: 1.0}, errors, skill)


def _errors(history: History, name: MethodName, question: Question) -> Vector:
    return back_test(history, METHODS[name], question.horizon, question.season)


def _is_young(history: History) -> bool:
    """Whether too few days passed since the last long gap for a method to be trained on them."""
    return len(history.training(len(history.values))) < MINIMUM_TRAINING_DAYS


def recent_jump(history: History) -> int | None:
    """Return the place of the first of the last ``JUMP_DAYS`` days that lies farther from the day before than
    ``_JUMP`` times the largest such step before it, or None.
    """
    steps = np.abs(np.diff(history.values))
    for at in range(max(len(steps) - JUMP_DAYS, 0), len(steps)):
        earlier = steps[:at][~np.isnan(steps[:at])]
        if len(earlier) >= MINIMUM_TRAINING_DAYS and steps[at] > _JUMP * earlier.max() + _NOISE:
            return at + 1
    return None


def _with_what_was_usual(
    history: History, low: Vector, high: Vector, scale: Scale, question: Question
) -> tuple[Vector, Vector]:
    """Return the interval widened to what was usual: the interval of the day before the last long gap, and the range
    that held the share ``level`` of all observed days.

    Nobody knows yet whether the series is where it was before the gap, or where it is now.
    """
    before = history.before_last_stretch()
    if before is not None:
        earlier = _forecast(before, scale, question)
        low, high = np.minimum(low, earlier.lows), np.maximum(high, earlier.highs)
    ordered = np.sort(scale.unit(history.values[~np.isnan(history.values)]))
    outside = max(int((len(ordered) + 1) * (1 - question.level) / 2), 1)
    return np.minimum(low, ordered[outside - 1]), np.maximum(high, ordered[-outside])
