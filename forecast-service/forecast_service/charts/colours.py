"""Colours that can be told apart, also by eyes that do not tell red from green.

An entity keeps its own colour where it differs enough from those before it, for the usual eye and as deuteranopes and
protanopes see it, and is dark enough for white paper. Any other gets the first colour of Okabe and Ito's palette (2008)
that does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LIGHTEST = 75.0
"""Lightness (CIELAB) of a line that is seen well on white."""
_APART = (50.0, 30.0, 17.5)
"""Distances of two colours in CIELAB that are tried, widest first; 2.3 is just noticeable side by side, thin lines need
far more. The palette's own colours are 17.5 apart for the eye that tells them apart least."""
_SEEN = (
    np.eye(3),
    # Machado, Oliveira and Fernandes 2009, severity 1: protanopia and deuteranopia, on linear RGB.
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
)
_XYZ = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0178, 0.1095, 0.8728]])
"""From linear sRGB to XYZ, relative to white."""


def told_apart(wanted: Sequence[str | None]) -> list[str]:
    """Return one colour for each place: the one that is wanted there if it can be told from those before it."""
    chosen: list[str] = []
    for place, colour in enumerate(wanted):
        own = colour is not None and _is_apart(colour, chosen, _APART[1])
        # More lines than colours: their names still tell them apart.
        chosen.append(colour if colour and own else _from_palette(chosen) or PALETTE[place % len(PALETTE)])
    return chosen


def _from_palette(chosen: Sequence[str]) -> str | None:
    found = (one for least in _APART for one in PALETTE if _is_apart(one, chosen, least))
    return next(found, None)


def _is_apart(colour: str, chosen: Sequence[str], least: float) -> bool:
    is_visible = _as_seen(colour, _SEEN[0])[0] <= _LIGHTEST
    return is_visible and all(distance(colour, other) >= least for other in chosen)


def distance(one: str, other: str) -> float:
    """Return how far two colours lie apart for the eye that tells them apart least."""
    return min(float(np.linalg.norm(_as_seen(one, eye) - _as_seen(other, eye))) for eye in _SEEN)


def _as_seen(colour: str, eye: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colour in CIELAB (D65) as an eye sees it."""
    rgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(_XYZ @ np.clip(eye @ linear, 0, 1) + 1e-4)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
