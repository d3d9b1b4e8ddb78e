"""The meter of one call: its attempts at providers, their tokens, and what they cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from openai_service.billing.money import nano
from openai_service.billing.payer import Payer
from openai_service.billing.preallocation import Allocation
from openai_service.billing.prices import UNKNOWN, Prices, Tokens

Operation = Literal["chat", "embeddings"]
_UNSEEN_TOKENS = 64
"""How many tokens a model may write between a hang-up and noticing it."""
_IMPLAUSIBLE_TOKENS = 10**9


@dataclass(slots=True)
class Attempt:
    """One request to a provider that may have to be paid for."""

    provider: str
    model: str
    bound: Tokens
    """The most tokens that the provider can count."""
    margin: int = 0
    """How many of the bound's prompt tokens are for tokens that were not sent; see ``token_margins``."""
    used: Tokens = UNKNOWN
    received_bytes: int | None = None
    """Bytes of text that a stream has brought so far; None where they do not tell what was written: of complete
    answers, and of models that think without showing it."""
    unpaid: bool = False
    """True when the provider refused the request or never received it."""

    def count(self, usage: Mapping[str, Any] | None) -> None:
        """Take the tokens from a ``usage`` object of OpenAI's shape; implausible numbers are ignored."""
        if usage:
            counts = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
            if all(isinstance(count, int) and 0 <= count < _IMPLAUSIBLE_TOKENS for count in counts):
                self.used = Tokens(*counts)

    def bill(self, prices: Prices) -> tuple[Decimal | None, str]:
        """Return (cost in USD, basis): by usage where it is known, else by the bound; no cost without a price."""
        if self.unpaid:
            return Decimal(0), "usage"
        if self.used != UNKNOWN:
            return prices.cost_usd(self.model, self.used.prompt, self.used.completion), "usage"
        return prices.cost_usd(self.model, self.bound.prompt, self._written()), "bound"

    def max_cost_nano(self, prices: Prices) -> int:
        """Return the most that the attempt can still cost, in nano-USD; 0 without a price."""
        if self.unpaid:
            return 0
        tokens = self.bound if self.used == UNKNOWN else self.used
        return nano(prices.cost_usd(self.model, tokens.prompt, tokens.completion) or 0)

    def _written(self) -> int | None:
        if not self.received_bytes:
            # Before its first word a model may have thought for long.
            return self.bound.completion
        seen = self.received_bytes + _UNSEEN_TOKENS
        return seen if self.bound.completion is None else min(seen, self.bound.completion)


@dataclass(slots=True)
class Meter:
    """One call: who pays, which attempts were made, how it ended."""

    operation: Operation
    requested_model: str
    payer: Payer
    task: str | None = None
    prompt_version: str | None = None
    provider: str = "none"
    model: str = "none"
    attempts: list[Attempt] = field(default_factory=list)
    holds: list[Allocation] = field(default_factory=list)
    held_nano: int = 0
    local_tokens: Tokens = UNKNOWN
    """Counted by a provider inside this service, which costs nothing."""
    cache: str | None = None
    streamed: bool = False
    degraded: bool = False
    free: bool = False
    status: str = "ok"
    fallback_reason: str | None = None
    kept_open: bool = False
    """True once a stream has taken the meter over; the stream ends it."""
    prompt: list[Any] | None = None
    adapted: tuple[str, ...] = ()
    """What of the request the provider that answered did not get, or under another name."""
    called_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.perf_counter)

    def answered_by(self, provider: str, model: str) -> None:
        """Set the provider and the model that answer."""
        self.provider, self.model = provider, model

    def count_local(self, usage: Mapping[str, Any] | None) -> None:
        """Take the tokens from the ``usage`` object of a provider inside this service."""
        if usage:
            self.local_tokens = Tokens(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))

    def tokens(self) -> Tokens:
        """Return the sum of all counted tokens; unknown when an attempt that may have to be paid was not counted."""
        if self.free or self.cache:
            return self.local_tokens
        paid = [attempt.used for attempt in self.attempts if not attempt.unpaid]
        if not paid or UNKNOWN in paid:
            return UNKNOWN
        return Tokens(sum(one.prompt or 0 for one in paid), sum(one.completion or 0 for one in paid))

    def bill(self, prices: Prices) -> tuple[Decimal | None, str | None]:
        """Return (cost in USD, basis) of all attempts together; (None, None) when one of them has no price."""
        bills = [attempt.bill(prices) for attempt in self.attempts]
        costs = [cost for cost, _ in bills if cost is not None]
        if len(costs) < len(bills):
            return None, None
        basis = "bound" if any(basis == "bound" for _, basis in bills) else "usage"
        return sum(costs, Decimal(0)), basis

    def max_cost_nano(self, prices: Prices) -> int:
        """Return the most that all attempts so far can cost together, in nano-USD."""
        return sum(attempt.max_cost_nano(prices) for attempt in self.attempts)
