"""The scenario rule of the platform that CASTOR replaces, kept under its own name for comparison.

impact = baseline multiplier(event) + 40 sentiment_shift; simulated = baseline + impact, cut at 0 and 100. No source is
known for the multipliers, and a crisis costs a popular candidate more than an unpopular one by them.
"""

from __future__ import annotations

from collections.abc import Mapping

from forecast_service.scenarios.model import EventKind, Predecessor

MULTIPLIERS: Mapping[EventKind, float] = {
    "announcement": 0.15,
    "debate": 0.25,
    "crisis": -0.30,
    "positive_news": 0.20,
    "other": 0.10,
}


def predecessor_rule(baseline: float, event: EventKind, sentiment_shift: float) -> Predecessor:
    """Return its result for the last ICCE ``baseline``, in points, and a shift in [-1, 1]."""
    multiplier = MULTIPLIERS[event]
    impact = baseline * multiplier + 40 * sentiment_shift
    simulated = min(max(baseline + impact, 0.0), 100.0)
    return Predecessor(multiplier, impact, simulated, 100 * impact / baseline if baseline else None)
