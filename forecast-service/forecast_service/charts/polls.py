"""The chart of a poll average: every poll as a dot, the average as a line with its band."""

from __future__ import annotations

from forecast_service.charts.colours import told_apart
from forecast_service.charts.model import Band, Chart, Language, Line
from forecast_service.charts.words import day, number, say
from forecast_service.polls.model import CandidateAverage, PollAverage

_MOST_LINES = 8
"""Of more candidates the largest are drawn: the others' lines could not be told apart."""


def poll_chart(average: PollAverage, language: Language) -> Chart:
    """Return the chart of the averages of the largest candidates."""
    drawn = average.candidates[:_MOST_LINES]
    colours = told_apart([None] * len(drawn))
    lines = [_line(one, colour, average) for one, colour in zip(drawn, colours, strict=True)]
    words = say(language, "shared_error")
    if average.coverage is not None:
        words = f"{_capital(say(language, 'poll_coverage', coverage=round(100 * average.coverage)))}. {words}"
    span = say(
        language,
        "poll_span",
        polls=len(average.polls),
        houses=len({poll.pollster for poll in average.polls}),
        last=day(average.last_poll, language),
        level=round(100 * average.level),
    )
    candidates = ". ".join(_candidate_words(one, language) for one in average.candidates)
    return Chart(
        title=say(language, "polls"),
        subtitle=span,
        unit=say(language, "percent"),
        lines=lines,
        footnote=words,
        description=f"{span}. {candidates}. {words}",
        language=language,
        bounds=(0.0, 100.0),
    )


def _line(one: CandidateAverage, colour: str, average: PollAverage) -> Line:
    dates = [day.date for day in one.days]
    published = [(poll.middle, dict(poll.shares).get(one.candidate)) for poll in average.polls]
    return Line(
        name=one.candidate,
        colour=colour,
        dates=dates,
        values=[day.share for day in one.days],
        band=Band(dates, [day.low for day in one.days], [day.high for day in one.days]),
        dots=[(middle, share) for middle, share in published if share is not None],
    )


def _candidate_words(one: CandidateAverage, language: Language) -> str:
    last = one.days[-1]
    value, low, high = (number(each, language) for each in (last.share, last.low, last.high))
    return say(language, "poll_line", name=one.candidate, value=value, low=low, high=high)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
