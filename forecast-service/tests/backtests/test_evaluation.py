"""What a back-test computes: origins that know nothing later, and scores that can be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from forecast_service.backtests.evaluation import forecasts_from, origins_of, report
from forecast_service.backtests.model import Made, OriginResult, Plan
from forecast_service.forecasts.history import least_half_width

VALUES = tuple(50 + 10 * (0, 0.8, 1, 0.4, -0.4, -1, -0.8)[day % 7] + (day * 37 % 11 - 5) / 5 for day in range(60))
PLAN = Plan(date(2026, 3, 1), VALUES, (0.0, 100.0), 0.0, ("auto", "naive"), 7, 0.8, 10, 3)


def test_origins_are_the_latest_days_so_far_apart() -> None:
    """Ten days, three apart, up to the last; each has the days before it that a forecast needs."""
    assert origins_of(PLAN, 14) == list(range(32, 60, 3))
    assert origins_of(replace(PLAN, origins=60, every=1), 14) == list(range(14, 60))
    assert origins_of(replace(PLAN, values=VALUES[:14]), 14) == []


def test_no_origin_stands_behind_a_gap() -> None:
    """A forecast begins on the day after an observed one, so a day after a gap is no origin."""
    values = (*VALUES[:40], None, None, *VALUES[42:])
    places = origins_of(replace(PLAN, values=values, origins=60, every=1), 14)
    assert 41 not in places
    assert 42 not in places
    assert {40, 43} <= set(places)


def test_what_comes_later_changes_no_forecast() -> None:
    """The same forecasts from a day, whatever follows it."""
    later = replace(PLAN, values=(*VALUES[:40], *[99.0] * 20))
    assert forecasts_from(PLAN, 40) == forecasts_from(later, 40)


def test_no_origin_knows_what_came_after_it() -> None:
    """The least width at an origin is that of the days before it: a day that was counted from few tweets widens none
    before it, and another value later makes no series finer.
    """
    counted = replace(PLAN, values=(50.0,) * 60, half_widths=(*[1.0] * 40, *[9.0] * 20), methods=("naive",))
    assert forecasts_from(counted, 40).made[0].highs == [51.0] * 7
    assert forecasts_from(counted, 60).made[0].highs == [59.0] * 7
    posted = replace(PLAN, values=(*[10.0, 14.0] * 20, *[10.5] * 20), half_widths=())
    fewer = replace(posted, values=posted.values[:40])
    assert forecasts_from(posted, 40) == forecasts_from(fewer, 40)
    assert least_half_width(posted.values[:40], ()) == 2


def test_rows_of_an_earlier_version_are_tested_as_they_were_planned() -> None:
    """Without the widths of each day, the one that was planned holds at every origin."""
    planned = replace(PLAN, values=(50.0,) * 60, least_half_width=3.0, methods=("naive",))
    assert forecasts_from(planned, 30).made[0].lows == [47.0] * 7


def test_scores_by_hand() -> None:
    """Errors, skill against the last value, coverage and interval scores of two origins."""
    plan = replace(PLAN, values=(10.0, 20.0, 30.0, None, 50.0), methods=("theta",), horizon=2, level=0.8)
    results = [
        OriginResult(1, [Made("theta", [22.0, 28.0], [19.0, 20.0], [25.0, 29.0])]),
        OriginResult(3, [Made("theta", [0.0, 45.0], [0.0, 40.0], [1.0, 55.0])]),
    ]
    made = report(plan, results)
    (score,) = made.scores
    assert (score.steps[0].judged, score.steps[0].error, score.steps[0].coverage) == (1, 2, 1)
    # Errors 2 and 5 against 20 and 20 of the last value; 30 lies one above 29: 9 + 2 / 0.2, and 15.
    assert (score.steps[1].judged, score.steps[1].error, score.steps[1].coverage) == (2, 3.5, 0.5)
    assert score.steps[1].skill == pytest.approx(1 - 3.5 / 20)
    assert score.steps[1].winkler == pytest.approx((19 + 15) / 2)
    assert (score.whole.judged, score.whole.error) == (3, 3)
    assert [(str(one.date), one.step, one.observed) for one in made.forecasts] == [
        ("2026-03-02", 1, 20.0), ("2026-03-03", 2, 30.0), ("2026-03-04", 1, None), ("2026-03-05", 2, 50.0)
    ]  # fmt: skip


def test_nothing_done_has_no_scores() -> None:
    """A job that waits says nothing yet; a last value without error gives no skill."""
    assert report(PLAN, []).scores == []
    still = replace(PLAN, values=(5.0,) * 4, methods=("naive",), horizon=1)
    (score,) = report(still, [OriginResult(2, [Made("naive", [5.0], [5.0], [5.0])])]).scores
    assert (score.whole.skill, score.whole.coverage) == (None, 1)
