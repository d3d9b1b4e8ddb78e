"""From records to wire models."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from forecast_service.api.schemas import indexes as wire
from forecast_service.api.schemas import polls as poll_wire
from forecast_service.api.schemas.predictions import Asked, Compared, EntityForecast, Refused
from forecast_service.forecasts.model import Comparison
from forecast_service.forecasts.options import Options
from forecast_service.indexes.icce import OTHER_ALPHAS, icce_at, latest_icce, trend
from forecast_service.indexes.model import (
    EntityIndex,
    Focus,
    IndexDay,
    ShareOfVoice,
    TopicFocus,
    Week,
    WeekChange,
    Weeks,
)
from forecast_service.indexes.momentum import Momentum
from forecast_service.indexes.narrative import Narrative
from forecast_service.indexes.sampling import band
from forecast_service.indexes.weeks import FEW_TWEETS, WEEK_DAYS
from forecast_service.polls.model import AverageDay, CandidateAverage, HouseEffect, PollAverage


def series_of(index: EntityIndex) -> wire.Series:
    """Return an index as it is answered, values rounded to four decimals."""
    return wire.Series(
        entity=index.entity,
        as_of=index.as_of,
        icce=_rounded(latest_icce(index.days)),
        trend=trend(index.days),
        days_observed=index.days_observed,
        days_missing=sum(day.is_gap for day in index.days),
        days_silent=sum(day.is_silent for day in index.days),
        tweets=sum(day.tweets for day in index.days),
        judged_towards=sum(day.judged_towards for day in index.days),
        judged_by_text=sum(day.judged_by_text for day in index.days),
        data_age_days=index.age_days,
        span=_span_value(index.span),
        items=[_day_value(day) for day in index.days],
    )


def _span_value(span: IndexDay | None) -> wire.SpanValue | None:
    if span is None or span.icce is None or span.isn is None or span.icr is None:
        return None
    low, high = band(span.icce, span.sampling_error or 0.0, 0, 100)
    values = {"icce": span.icce, "isn": span.isn, "icr": span.icr, "low": low, "high": high}
    judged = {"judged_towards": span.judged_towards, "judged_by_text": span.judged_by_text}
    return wire.SpanValue(tweets=span.tweets, **judged, **{name: round(value, 4) for name, value in values.items()})


def _day_value(day: IndexDay) -> wire.DayValue:
    value = wire.DayValue(
        date=day.day,
        tweets=day.tweets,
        gap=day.is_gap,
        silent=day.is_silent,
        icce=_rounded(day.icce),
        isn=_rounded(day.isn),
        icr=_rounded(day.icr),
        smoothed=_rounded(day.smoothed),
        momentum=_rounded(day.momentum),
        judged_towards=day.judged_towards,
        judged_by_text=day.judged_by_text,
    )
    return value if day.icce is None else value.model_copy(update=_bands(day))


def _bands(day: IndexDay) -> dict[str, float | None]:
    """Return what says how sure the index of a day is."""
    assert day.icce is not None and day.isn is not None and day.icr is not None  # noqa: PT018
    low, high = band(day.icce, day.sampling_error or 0.0, 0, 100)
    others = [icce_at(day.isn, day.icr, alpha) for alpha in OTHER_ALPHAS]
    values = {"sampling_error": day.sampling_error, "low": low, "high": high}
    values |= {"alpha_low": min(others), "alpha_high": max(others)}
    return {name: _rounded(value) for name, value in values.items()}


def momentum_of(index: EntityIndex, momentum: Momentum) -> wire.Momentum:
    """Return the momentum of an index as it is answered."""
    return wire.Momentum(
        entity=index.entity,
        as_of=index.as_of,
        date=momentum.day,
        smoothed=round(momentum.smoothed, 4),
        momentum=round(momentum.momentum, 4),
        error=round(momentum.error, 4),
        trend=momentum.trend,
        certain=momentum.is_certain,
        days_observed=index.days_observed,
        data_age_days=index.age_days,
    )


def share_of_voice_of(shares: ShareOfVoice) -> wire.ShareOfVoice:
    """Return shares with their bands."""
    items = []
    for voice in shares.voices:
        low, high = band(voice.share, voice.error, 0, 1)
        items.append(
            wire.Voice(
                entity=voice.entity,
                tweets=voice.tweets,
                share=round(voice.share, 4),
                low=round(low, 4),
                high=round(high, 4),
            )
        )
    return wire.ShareOfVoice(
        since=shares.since,
        until=shares.until,
        days_missing=shares.days_missing,
        tweets=shares.tweets,
        items=items,
    )


def topic_focus_of(focus: TopicFocus) -> wire.TopicFocus:
    """Return shares of topics with their bands."""
    return wire.TopicFocus(
        entity=focus.entity,
        as_of=focus.as_of,
        since=focus.since,
        until=focus.until,
        days_missing=focus.days_missing,
        tweets=focus.tweets,
        tweets_on_topics=focus.with_axis,
        items=[_topic(one) for one in focus.topics],
    )


def _topic(focus: Focus) -> wire.Topic:
    low, high = band(focus.share, focus.error, 0, 1)
    return wire.Topic(
        axis=focus.axis,
        tweets=focus.tweets,
        share=round(focus.share, 4),
        sampling_error=round(focus.error, 4),
        low=round(low, 4),
        high=round(high, 4),
    )


def weeks_of(weeks: Weeks) -> wire.Weeks:
    """Return two weeks of each entity with their bands."""
    return wire.Weeks(
        as_of=weeks.as_of,
        since=weeks.until - timedelta(days=WEEK_DAYS - 1),
        until=weeks.until,
        total_tweets=weeks.total_tweets,
        total_tweets_before=weeks.total_tweets_before,
        items=[_entity_weeks(one) for one in weeks.entities],
    )


def _entity_weeks(one: WeekChange) -> wire.EntityWeeks:
    low, high = _band_of(one.change, one.change_error, -100, 100)
    return wire.EntityWeeks(
        entity=one.entity,
        now=_week(one.now),
        before=_week(one.before),
        change=_rounded(one.change),
        change_low=low,
        change_high=high,
        certain=low is not None and high is not None and not low <= 0 <= high,
    )


def _week(week: Week) -> wire.Week:
    share_low, share_high = _band_of(week.share, week.share_error, 0, 1)
    low, high = _band_of(week.icce, week.error, 0, 100)
    return wire.Week(
        tweets=week.tweets,
        scored=week.scored,
        positive=week.positive,
        negative=week.negative,
        share_of_voice=_rounded(week.share),
        share_low=share_low,
        share_high=share_high,
        isn=_rounded(week.isn),
        icce=_rounded(week.icce),
        low=low,
        high=high,
        judged_towards=week.judged_towards,
        judged_by_text=week.judged_by_text,
        note="silent" if not week.scored else "few_tweets" if week.scored < FEW_TWEETS else None,
    )


def _band_of(value: float | None, error: float, lower: float, upper: float) -> tuple[float | None, float | None]:
    if value is None:
        return None, None
    low, high = band(value, error, lower, upper)
    return round(low, 4), round(high, 4)


def narrative_of(indexes: Narrative) -> wire.Narrative:
    """Return narrative indexes, rounded to four decimals, with the band of IVN."""
    low, high = band(indexes.ivn, indexes.error, 0, 1)
    names = ("sve", "sna", "cp", "nmi", "ivn")
    values = {name: round(getattr(indexes, name), 4) for name in names}
    return wire.Narrative.model_validate(
        values
        | {"texts": indexes.texts, "comparisons": indexes.comparisons, "band": indexes.band}
        | {"low": round(low, 4), "high": round(high, 4)}
    )


def options_of(asked: Asked) -> Options:
    """Return what was chosen in the request."""
    return Options(asked.horizon_days, asked.level, asked.method)


def comparison_of(comparison: Comparison) -> Compared:
    """Return forecasts of several entities as they are answered."""
    predictions = [one.prediction for one in comparison.made]
    return Compared(
        as_of=comparison.as_of,
        items=[EntityForecast.model_validate(one, from_attributes=True) for one in predictions],
        refused=[Refused(entity=entity, code=code) for entity, code in comparison.refused.items()],
    )


def poll_average_of(average: PollAverage) -> poll_wire.PollAverage:
    """Return averages of polls as they are answered, rounded to two decimals."""
    return poll_wire.PollAverage(
        as_of=average.as_of,
        level=average.level,
        polls=len(average.polls),
        later_polls=average.later_polls,
        last_poll=average.last_poll,
        data_age_days=average.data_age_days,
        coverage=_rounded(average.coverage),
        too_few=average.too_few,
        candidates=[_candidate(one) for one in average.candidates],
        notes=average.notes,
    )


def _candidate(one: CandidateAverage) -> poll_wire.PollCandidate:
    days = [poll_wire.PollDay.model_validate(_hundredths(day)) for day in one.days]
    today = days[-1]
    points = today.share * (1 - today.share / 100)  # a step of one on the logit scale, at today's share
    return poll_wire.PollCandidate(
        candidate=one.candidate,
        share=today.share,
        low=today.low,
        high=today.high,
        polls=one.polls,
        houses=[poll_wire.PollHouse.model_validate(_hundredths(house)) for house in one.houses],
        drift=round(one.drift * points, 2),
        excess=round(one.excess * points, 2),
        days=days,
    )


def _hundredths(record: AverageDay | HouseEffect) -> dict[str, Any]:
    values = asdict(record)
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in values.items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
