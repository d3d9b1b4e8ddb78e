"""A shift of sentiment or volume, carried through a model of both to the distribution of ICCE.

ISN and ICR are modelled together on the logit scale (of (ISN + 1) / 2 and of ICR), less their means by weekday, by a
vector autoregression of order 1: x(t) = c + A x(t - 1) + e(t), by least squares on the days since the last long gap.
Paths draw their surprises e from those of the past, and A and c from their sampling distribution. The shift moves the
drivers on its days, and then fades as A says: x is linear, so the same path with and without it differ by the shift
alone. ICCE follows from both by its own formula.

A shift is an assumption. That the past reacted like this does not say that a deed would cause it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast_service.forecasts.history import history_of
from forecast_service.forecasts.scale import Vector
from forecast_service.scenarios.model import Drivers, ScenarioDay, ScenarioQuestion, Simulated, Spread

MINIMUM_DAYS = 28
_DRAWS, _PATHS_A_DRAW = 200, 10
_LARGEST_EIGENVALUE = 0.995
_WEEK = 7


@dataclass(frozen=True, slots=True)
class _Model:
    """Coefficients (a row for the constant, one a driver before), surprises by day, means by weekday."""

    coefficients: Vector
    spread: Vector
    surprises: Vector
    weekdays: Vector
    last: Vector
    next_weekday: int
    first_place: int


def usable_days(drivers: Drivers) -> range:
    """Return the places of the days since the last long gap, on which the model would be trained.

    What the first of them brought beyond what was expected is not known.
    """
    values, first = _trained(drivers)
    return range(first, first + len(values))


def simulate(question: ScenarioQuestion) -> Simulated:
    """Return the distribution with and without the shift. The same question gives the same answer."""
    rng = np.random.default_rng(1)
    model = _fitted(question.drivers)
    impulse, was_cut = _impulse(question, model)
    paths, differences = _paths(question, model, impulse, rng)
    weekdays = model.weekdays[(model.next_weekday + np.arange(question.horizon)) % _WEEK]
    baseline = _icce(paths + weekdays, question.alpha)
    scenario = _icce(paths + weekdays + differences, question.alpha)
    rows = [
        ScenarioDay(*(_spread(values[:, step], question.level) for values in (baseline, scenario, scenario - baseline)))
        for step in range(question.horizon)
    ]
    return Simulated(tuple(rows), _half_life(model.coefficients[1:].T), len(model.surprises) + 1, was_cut)


def _trained(drivers: Drivers) -> tuple[Vector, int]:
    """Return both drivers by day since the last long gap, gaps bridged, and the place of the first of these days."""
    tweets = np.array(drivers.tweets, dtype=np.float64)
    isn = np.array([np.nan if one is None else one for one in drivers.isn], dtype=np.float64)
    icr = np.array([np.nan if one is None else one for one in drivers.icr], dtype=np.float64)
    icr[np.isnan(isn)] = np.nan
    # A day of few tweets is drawn to the middle, so that no logit is infinite: two tweets, or half a one, more.
    positive = (isn * tweets / (tweets + 2) + 1) / 2
    share = (tweets + 0.5) / (tweets / np.where(icr > 0, icr, np.nan) + 1)
    known = np.flatnonzero(~np.isnan(positive) & ~np.isnan(share))
    columns = []
    for values in (positive, share):
        history = history_of(np.log(values / (1 - values)))
        columns.append(history.training(len(history.values)))
    return np.column_stack(columns), int(known[-1]) + 1 - len(columns[0])


def _fitted(drivers: Drivers) -> _Model:
    values, first = _trained(drivers)
    weekday = (drivers.first_weekday + first + np.arange(len(values))) % _WEEK
    centre = values.mean(axis=0)
    weekdays = np.array([values[weekday == day].mean(axis=0) for day in range(_WEEK)])
    centred = values - weekdays[weekday]
    before = np.column_stack([np.ones(len(values) - 1), centred[:-1]])
    coefficients, *_ = np.linalg.lstsq(before, centred[1:])
    surprises = centred[1:] - before @ coefficients
    spread = np.linalg.pinv(before.T @ before)
    assert np.isfinite(centre).all(), "bridged days have values"
    next_weekday = int(drivers.first_weekday + first + len(values)) % _WEEK
    return _Model(coefficients, spread, surprises, weekdays, centred[-1], next_weekday, first)


def _impulse(question: ScenarioQuestion, model: _Model) -> tuple[Vector, bool]:
    """Return the shifts of both drivers that are drawn from, on the logit scale, and whether ISN was cut at its end."""
    level = model.weekdays.mean(axis=0)
    positive = 1 / (1 + np.exp(-level[0]))
    wanted = positive + question.shift.sentiment / 2
    reached = float(np.clip(wanted, 0.01, 0.99))
    # Tweets times 1 + v, those of others as they were: the odds of ICR are multiplied by it.
    given = np.array([np.log(reached / (1 - reached)) - level[0], np.log1p(question.shift.volume)])
    if not question.shift.sentiment:
        given[0] = 0.0
    places = np.array(question.shift.event_places, dtype=np.intp) - model.first_place - 1
    seen = places[(places >= 0) & (places < len(model.surprises))]
    past = model.surprises[seen] if len(seen) else np.zeros((1, 2))
    return past + given, bool(question.shift.sentiment and reached != wanted)


def _paths(
    question: ScenarioQuestion, model: _Model, impulse: Vector, rng: np.random.Generator
) -> tuple[Vector, Vector]:
    """Return paths of both drivers without the shift, and how the shift moves each, by path, step and driver."""
    count = _DRAWS * _PATHS_A_DRAW
    drawn = np.repeat(_drawn_coefficients(model, rng), _PATHS_A_DRAW, axis=0)
    surprises = model.surprises[rng.integers(len(model.surprises), size=(count, question.horizon))]
    shifts = impulse[rng.integers(len(impulse), size=count)]
    paths, differences = np.empty_like(surprises), np.empty_like(surprises)
    at, moved = np.tile(model.last, (count, 1)), np.zeros((count, 2))
    for step in range(question.horizon):
        at = drawn[:, 0] + np.einsum("pij,pi->pj", drawn[:, 1:], at) + surprises[:, step]
        moved = shifts if step < question.shift.days else np.einsum("pij,pi->pj", drawn[:, 1:], moved)
        paths[:, step], differences[:, step] = at, moved
    return paths, differences


def _drawn_coefficients(model: _Model, rng: np.random.Generator) -> Vector:
    """Return coefficients from their sampling distribution, those of explosive models shrunk to the edge."""
    free = max(len(model.surprises) - 3, 1)
    scale = _root(model.surprises.T @ model.surprises / free)
    noise = rng.standard_normal((_DRAWS, 3, 2))
    drawn = model.coefficients + np.einsum("ij,djk,kl->dil", _root(model.spread), noise, scale.T)
    largest = np.abs(np.linalg.eigvals(drawn[:, 1:])).max(axis=1)
    drawn[:, 1:] *= np.minimum(1, _LARGEST_EIGENVALUE / np.maximum(largest, 1e-9))[:, np.newaxis, np.newaxis]
    return np.asarray(drawn)


def _root(covariance: Vector) -> Vector:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def _icce(drivers: Vector, alpha: float) -> Vector:
    shares = 1 / (1 + np.exp(-drivers))
    return np.asarray(100 * (alpha * shares[..., 0] + (1 - alpha) * shares[..., 1]))


def _spread(values: Vector, level: float) -> Spread:
    low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Spread(float(middle), float(low), float(high))


def _half_life(transition: Vector) -> float | None:
    largest = float(np.abs(np.linalg.eigvals(transition)).max())
    if largest >= 1:
        return None
    return float(np.log(0.5) / np.log(largest)) if largest > 0 else 0.0
