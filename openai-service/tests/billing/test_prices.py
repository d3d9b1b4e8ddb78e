"""Prices of models."""

from __future__ import annotations

from decimal import Decimal

from openai_service.billing.prices import Prices

PRICES = Prices({"gpt-4o-mini": (0.15, 0.60), "gpt-4o": (2.50, 10.00)})


def test_prices_take_the_longest_name() -> None:
    """A dated model costs what its family costs; a model without a price costs nothing known; sums are exact."""
    assert PRICES.cost_usd("gpt-4o-mini-2024-07-18", 1_000_000, 0) == Decimal("0.15")
    assert PRICES.cost_usd("gpt-4o", 1, 1) == Decimal("0.0000125")
    assert PRICES.cost_usd("gpt-4omega", 1, 1) is None
    assert PRICES.cost_usd("gpt-4o", None, None) is None
