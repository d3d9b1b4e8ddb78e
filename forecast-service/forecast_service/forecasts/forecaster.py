"""Forecasts with intervals that the method's own past errors justify.

The method is an ensemble whose members earn their weight in back-tests, or the one that is asked for. Where the
ensemble erred more than a tenth more than the last value in these back-tests, the last value is the forecast.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from forecast_service.forecasts.backtest import MINIMUM_TRAINING_DAYS, back_test, fitted, skill_score
from forecast_service.forecasts.conformal import conformal_intervals
from forecast_service.forecasts.ensemble import ensemble_errors, final_weights
from forecast_service.forecasts.history import History, history_of
from forecast_service.forecasts.methods import MEMBERS, METHODS, MethodName
from forecast_service.forecasts.model import Forecast, Question
from forecast_service.forecasts.scale import Scale, Vector

JUMP_DAYS = 7
_JUMP, _NOISE = 1.5, 1e-9
_WORSE = -0.1
"""Skill below which the last value stands in for the ensemble. Near 0 both err alike in back-tests, but the last value
may be an outlier today, and the ensemble is not."""


def forecast(question: Question) -> Forecast:
    """Forecast the days after the last observed one. Needs at least one; the caller says what too few of them allow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about single members of which the back-test judges
        scale = Scale.of(question.bounds, question.values)
        return _with_recent_jump(history_of(scale.model(question.values)), scale, question)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Methods with their weights, their errors as one, and their skill against the last value."""

    name: str
    weights: dict[MethodName, float]
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
    choice = _chosen(history, question)
    training, horizon = history.training(len(history.values)), question.horizon
    ahead = {name: fitted(METHODS[name], training, question.season)(training, horizon) for name in choice.weights}
    centre = np.sum([weight * ahead[name] for name, weight in choice.weights.items()], axis=0)
    intervals = conformal_intervals(choice.errors, question.level)
    # Where no error is known, anything that was seen may come next.
    widths = np.where(np.isnan(intervals.half_widths), np.ptp(training), intervals.half_widths)
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
    if skill is None or skill < _WORSE:
        return _Choice("naive", {"naive": 1.0}, reference, skill)
    weights = dict(zip(MEMBERS, final_weights(members).tolist(), strict=True))
    return _Choice("ensemble", weights, errors, skill)


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
