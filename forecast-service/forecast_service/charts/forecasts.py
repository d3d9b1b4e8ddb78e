"""Charts of one forecast and of several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecast_service.charts.colours import told_apart
from forecast_service.charts.model import Band, Chart, Language, Line
from forecast_service.charts.words import day, number, say
from forecast_service.forecasts.model import Prediction
from forecast_service.indexes.model import EntityIndex

_BOUNDS = (0.0, 100.0)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entity under the name and colour that it has in pictures, with its index and forecast."""

    name: str
    colour: str | None
    index: EntityIndex
    prediction: Prediction


def forecast_chart(shown: Shown, language: Language) -> Chart:
    """Return the chart of one forecast: the index, what is expected, its interval and what it is worth."""
    prediction = shown.prediction
    words = f"{_worth(prediction, language)} {say(language, 'not_votes')}"
    return Chart(
        title=say(language, "forecast", name=shown.name),
        subtitle=_span(prediction, language),
        unit=say(
            language,
            "icce",
        ),
        lines=_lines([shown]),
        footnote=words,
        description=_description([shown], language, words),
        language=language,
        bounds=_BOUNDS,
    )


def comparison_chart(shown: Sequence[Shown], refused: Sequence[str], language: Language) -> Chart:
    """Return the chart of at least one forecast beside each other; ``refused`` are names without one."""
    without = [say(language, "refused", names=", ".join(refused))] if refused else []
    words = " ".join([*without, say(language, "not_votes")])
    return Chart(
        title=say(language, "compare", count=len(shown)),
        subtitle=_span(shown[0].prediction, language),
        unit=say(language, "icce"),
        lines=_lines(shown),
        footnote=words,
        description=_description(shown, language, words),
        language=language,
        bounds=_BOUNDS,
    )


def _span(prediction: Prediction, language: Language) -> str:
    assert prediction.last_observed is not None, "it was made just now"
    return say(
        language,
        "ahead",
        last=day(prediction.last_observed, language),
        days=len(prediction.points),
        level=round(100 * prediction.level),
    )


def _lines(shown: Sequence[Shown]) -> list[Line]:
    colours = told_apart([one.colour for one in shown])
    return [_line(one, colour) for one, colour in zip(shown, colours, strict=True)]


def _line(shown: Shown, colour: str) -> Line:
    points = shown.prediction.points
    dates = [point.date for point in points]
    return Line(
        name=shown.name,
        colour=colour,
        dates=[one.day for one in shown.index.days],
        values=[one.icce for one in shown.index.days],
        ahead_dates=dates,
        ahead_values=[point.value for point in points],
        band=Band(dates, [point.low for point in points], [point.high for point in points]),
    )


def _worth(prediction: Prediction, language: Language) -> str:
    """Return one sentence: skill, coverage, age of the data."""
    parts = [_skill(prediction.skill, language)]
    if prediction.coverage is not None:
        parts.append(say(language, "coverage", coverage=round(100 * prediction.coverage)))
    if prediction.data_age_days:
        parts.append(say(language, "age", age=prediction.data_age_days))
    return "; ".join(parts) + "."


def _skill(skill: float | None, language: Language) -> str:
    if skill is None:
        return say(language, "skill_unknown")
    change = say(language, "larger" if skill < 0 else "smaller", percent=round(100 * abs(skill)))
    return say(language, "skill", skill=change)


def _description(shown: Sequence[Shown], language: Language, worth: str) -> str:
    """Return the text alternative: where each line stands and where it is expected, with the interval."""
    parts = [_line_words(one, language) for one in shown]
    return f"{_span(shown[0].prediction, language)}. {'. '.join(parts)}. {worth}"


def _line_words(shown: Shown, language: Language) -> str:
    prediction = shown.prediction
    last = prediction.points[-1]
    assert prediction.last_observed is not None, "it was made just now"
    return say(
        language,
        "line",
        name=shown.name,
        now=number(prediction.icce, language),
        last=day(prediction.last_observed, language),
        value=number(last.value, language),
        low=number(last.low, language),
        high=number(last.high, language),
        until=day(last.date, language),
    )
