"""Weights of an ensemble's members, earned by their errors in the back-tests.

A member's weight is proportional to its mean absolute error to the power -4: one that errs twice as much as another has
a sixteenth of its weight. In a back-test the weights of an origin come from forecasts whose days were over by then, so
the errors of the ensemble are those that it would have made.
"""

from __future__ import annotations

import numpy as np

from forecast_service.forecasts.scale import Vector

_POWER = 4


def ensemble_errors(members: Vector) -> Vector:
    """Return the errors of the ensemble by origin and step, from those of its members by member, origin and step."""
    weights = _weights_by_origin(members)
    return np.asarray((weights[:, :-1, np.newaxis] * members).sum(axis=0))


def final_weights(members: Vector) -> Vector:
    """Return the weights after all origins; they sum to 1."""
    return np.asarray(_weights_by_origin(members)[:, -1])


def _weights_by_origin(members: Vector) -> Vector:
    """Return weights by member and origin, and in the last column those after all of them."""
    count, origins, horizon = members.shape
    ended = np.zeros((count, origins + 1))
    for step in range(horizon):
        # A forecast of origin o for step s is over at origin o + s + 1, counted from 0.
        last = max(origins - step, 0)
        ended[:, step + 1 : step + 1 + last] += np.nan_to_num(np.abs(members[:, :last, step]))
    totals = np.cumsum(ended, axis=1)
    # What is not over at the last origin is over now, or is not known at all.
    totals[:, -1] = np.nansum(np.abs(members), axis=(1, 2))
    scale = np.maximum(totals.min(axis=0), 1e-12)
    earned = (np.maximum(totals, 1e-12) / scale) ** -_POWER
    return np.asarray(earned / earned.sum(axis=0))
