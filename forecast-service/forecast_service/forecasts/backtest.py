"""Rolling-origin back-tests: a method is run from earlier days as if they were today, and its errors are kept."""

from __future__ import annotations

import numpy as np

from forecast_service.forecasts.methods import Mask, Method, Vector

MINIMUM_TRAINING_DAYS = 10
MAXIMUM_ORIGINS = 40

Errors = list[list[float]]
"""Absolute errors on the logit scale: one list for each day ahead."""


def rolling_origin_errors(method: Method, series: Vector, known: Mask, horizon: int) -> Errors:
    """Return the errors of ``method`` from the latest ``MAXIMUM_ORIGINS`` days, counted on observed days only."""
    errors: Errors = [[] for _ in range(horizon)]
    origins = range(MINIMUM_TRAINING_DAYS, len(series))
    for origin in origins[-MAXIMUM_ORIGINS:]:
        ahead = min(horizon, len(series) - origin)
        made = method(series[:origin], ahead)
        for step in range(ahead):
            if known[origin + step]:
                errors[step].append(abs(float(made[step] - series[origin + step])))
    return errors


def skill_score(errors: Errors, reference: Errors) -> float | None:
    """Return 1 - sum of ``errors`` / sum of ``reference``; None when the reference made no error."""
    ours, theirs = sum(map(sum, errors)), sum(map(sum, reference))
    return 1 - ours / theirs if theirs > 0 else None


def conformal_half_widths(errors: Errors, level: float) -> Vector:
    """Return for each day ahead the split conformal half-width of an interval that holds with probability ``level``.

    The errors of a day are pooled with those one day nearer and farther; the width never narrows with distance.
    """
    widths = np.zeros(len(errors))
    for step in range(len(errors)):
        pool = [error for near in errors[max(0, step - 1) : step + 2] for error in near]
        rank = np.ceil((len(pool) + 1) * level)
        widths[step] = max(pool, default=0.0) if rank > len(pool) else sorted(pool)[int(rank) - 1]
    return np.maximum.accumulate(widths)
