"""The wire of what reading X costs: budgets and allowances."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from pydantic import Field

from castor_chassis import Integer, Number, ResponseModel, Timestamp, normal_time
from twitter_service.billing.budget import MICRO, BudgetStatus, Level, Period
from twitter_service.x.rate_limits import Allowance


class BudgetStanding(ResponseModel):
    """Where a budget stands; null: no limit."""

    level: Level
    name: str
    period: Period
    tweets_spent: Integer
    tweets_reserved: Integer
    tweets_limit: Integer | None
    tweets_left: Integer | None
    usd_spent: Number
    usd_reserved: Number
    usd_limit: Number | None
    usd_left: Number | None
    percentage: Number | None = Field(description="Spent and reserved of the tighter limit, 0 to 100.")
    resets_at: Timestamp

    @classmethod
    def of(cls, status: BudgetStatus) -> Self:
        """Return the status of a budget as it goes over the wire."""
        posts_left, micro_left = status.left
        return cls(
            level=status.level,
            name=status.name,
            period=status.period,
            tweets_spent=status.spent.posts,
            tweets_reserved=status.reserved.posts,
            tweets_limit=status.limit_posts,
            tweets_left=posts_left,
            usd_spent=status.spent.micro_usd / MICRO,
            usd_reserved=status.reserved.micro_usd / MICRO,
            usd_limit=None if status.limit_micro_usd is None else status.limit_micro_usd / MICRO,
            usd_left=None if micro_left is None else micro_left / MICRO,
            percentage=_percentage(status),
            resets_at=status.resets_at,
        )


class AllowanceStanding(ResponseModel):
    """What X's own rate limit still allows on one endpoint; null: not known yet."""

    endpoint: str
    limit: Integer | None
    remaining: Integer | None
    resets_at: Timestamp | None

    @classmethod
    def of(cls, allowance: Allowance) -> Self:
        """Return an allowance as it goes over the wire."""
        return cls.model_validate({**vars(allowance), "resets_at": _moment(allowance.resets_at)})


class Usage(ResponseModel):
    """What reading X has cost, and what may still be read."""

    x_configured: bool
    budgets: list[BudgetStanding]
    allowances: list[AllowanceStanding]


def _percentage(status: BudgetStatus) -> float | None:
    used = status.spent + status.reserved
    shares = [
        100.0 if limit == 0 else 100.0 * value / limit
        for value, limit in ((used.posts, status.limit_posts), (used.micro_usd, status.limit_micro_usd))
        if limit is not None
    ]
    return round(max(shares), 2) if shares else None


def _moment(unix: float | None) -> str | None:
    return None if unix is None else normal_time(datetime.fromtimestamp(unix, UTC))
