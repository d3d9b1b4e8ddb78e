"""Money as integers, and the months that budgets are counted in. One USD is 1,000,000,000 nano-USD."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal

NANO = 1_000_000_000


def nano(usd: Decimal | float) -> int:
    """Return ``usd`` in nano-USD, rounded up, so that a limit is never compared with less than the cost."""
    return int((Decimal(str(usd)) * NANO).to_integral_value(ROUND_CEILING))


def usd(nanos: int) -> float:
    """Return nano-USD in USD."""
    return nanos / NANO


def month_of(moment: datetime) -> date:
    """Return the first day of the month (UTC) that ``moment`` is in."""
    return moment.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after ``month``."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
