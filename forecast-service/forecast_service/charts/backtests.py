"""The chart of a back-test: what was forecast so many days before, its interval, and what came."""

from __future__ import annotations

from datetime import timedelta

from forecast_service.backtests.model import Backtest, MethodScore, Report
from forecast_service.charts.colours import PALETTE
from forecast_service.charts.model import Band, Chart, Language, Line
from forecast_service.charts.words import day, say

_BEFORE = timedelta(days=28)
"""Observed days before the first forecast that are shown."""


def backtest_chart(backtest: Backtest, report: Report, step: int, language: Language) -> Chart:
    """Return the chart of the forecasts ``step`` days ahead of a back-test of which at least one origin is done."""
    plan = backtest.plan
    made = [one for one in report.forecasts if one.step == step]
    dates = [one.date for one in made]
    band = Band(dates, [one.low for one in made], [one.high for one in made])
    days = [plan.first + timedelta(days=at) for at in range(len(plan.values))]
    shown = [(at, value) for at, value in zip(days, plan.values, strict=True) if at >= dates[0] - _BEFORE]
    observed = Line(say(language, "observed"), PALETTE[6], [at for at, _ in shown], [value for _, value in shown])
    expected = Line(
        say(language, "expected"), PALETTE[0], dates, [one.value for one in made], band=band, ahead_dates=[]
    )
    method = report.scores[0].method
    scores = " ".join(_score_words(one, step, language) for one in report.scores)
    subtitle = say(language, "tested", method=method, step=step, level=round(100 * plan.level), origins=backtest.done)
    span = f"{day(dates[0], language)} – {day(dates[-1], language)}"
    return Chart(
        title=say(language, "backtest"),
        subtitle=subtitle,
        unit=span,
        lines=[observed, expected],
        footnote=scores,
        description=f"{subtitle}. {span}. {scores}",
        language=language,
        bounds=plan.bounds,
    )


def _score_words(score: MethodScore, step: int, language: Language) -> str:
    """Return one sentence about a method so many days ahead."""
    one = score.steps[step - 1]
    if one.coverage is None:
        return say(language, "not_judged", method=score.method)
    parts = [say(language, "held", coverage=round(100 * one.coverage), judged=one.judged)]
    if one.skill is not None:
        better = "larger" if one.skill < 0 else "smaller"
        change = say(language, better, percent=round(100 * abs(one.skill)))
        parts.append(say(language, "skill", skill=change).lower())
    return f"{score.method}: {'; '.join(parts)}."
