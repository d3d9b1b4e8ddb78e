"""What is learned about one call while it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from openai_service.billing.budget import Payer, nano
from openai_service.billing.preallocation import Part
from openai_service.billing.prices import UNKNOWN, Prices, Tokens

Operation = Literal["chat", "embeddings"]
_UNSEEN_TOKENS = 64
"""What a model may have written between a hang-up and noticing it."""
_ABSURD_TOKENS = 10**9


@dataclass(slots=True)
class Attempt:
    """One request to a provider that may have to be paid."""

    provider: str
    model: str
    most: Tokens
    """What it can count for at most."""
    margin: int = 0
    """How much of ``most`` is for prompt tokens that nobody sent; see ``margins``."""
    used: Tokens = UNKNOWN
    received_bytes: int | None = None
    """What a stream brought so far; None for whole answers."""
    unpaid: bool = False
    """True when the provider refused it or never got it."""

    def count(self, usage: Mapping[str, Any] | None) -> None:
        """Take the tokens from a ``usage`` object of the OpenAI shape; numbers that cannot be are no count."""
        if usage:
            counts = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
            if all(isinstance(count, int) and 0 <= count < _ABSURD_TOKENS for count in counts):
                self.used = Tokens(*counts)

    def bill(self, prices: Prices) -> tuple[Decimal | None, str]:
        """Return (cost, basis): by usage if it is known, else the most that it can be; None without a price."""
        if self.unpaid:
            return Decimal(0), "usage"
        if self.used != UNKNOWN:
            return prices.cost_usd(self.model, self.used.prompt, self.used.completion), "usage"
        return prices.cost_usd(self.model, self.most.prompt, self._written()), "bound"

    def worst_nano(self, prices: Prices) -> int:
        """Return the most that it can still come to, in nano-USD; 0 without a price."""
        if self.unpaid:
            return 0
        tokens = self.most if self.used == UNKNOWN else self.used
        return nano(prices.cost_usd(self.model, tokens.prompt, tokens.completion) or 0)

    def _written(self) -> int | None:
        if self.received_bytes is None:
            return self.most.completion
        seen = self.received_bytes + _UNSEEN_TOKENS
        return seen if self.most.completion is None else min(seen, self.most.completion)


@dataclass(slots=True)
class Meter:
    """One call: who pays, what was tried, how it ended."""

    operation: Operation
    requested_model: str
    payer: Payer
    task: str | None = None
    prompt_version: str | None = None
    provider: str = "none"
    model: str = "none"
    attempts: list[Attempt] = field(default_factory=list)
    holds: list[Part] = field(default_factory=list)
    held_nano: int = 0
    own_tokens: Tokens = UNKNOWN
    """Counted by a provider of ours, which costs nothing."""
    cache: str | None = None
    streamed: bool = False
    degraded: bool = False
    free: bool = False
    status: str = "ok"
    fallback_reason: str | None = None
    kept_open: bool = False
    """True once a stream carries the meter on; it ends the meter itself."""
    prompt: list[Any] | None = None
    called_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.perf_counter)

    def answered_by(self, provider: str, model: str) -> None:
        """Note who answers."""
        self.provider, self.model = provider, model

    def count_own(self, usage: Mapping[str, Any] | None) -> None:
        """Take the tokens of a provider of ours."""
        if usage:
            self.own_tokens = Tokens(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))

    def tokens(self) -> Tokens:
        """Return the sum of what was counted; unknown when it is so for an attempt that may have to be paid."""
        if self.free or self.cache:
            return self.own_tokens
        paid = [attempt.used for attempt in self.attempts if not attempt.unpaid]
        if not paid or UNKNOWN in paid:
            return UNKNOWN
        return Tokens(sum(one.prompt or 0 for one in paid), sum(one.completion or 0 for one in paid))

    def bill(self, prices: Prices) -> tuple[Decimal | None, str | None]:
        """Return what all attempts cost together and on what basis; None when one of them has no price."""
        bills = [attempt.bill(prices) for attempt in self.attempts]
        costs = [cost for cost, _ in bills if cost is not None]
        if len(costs) < len(bills):
            return None, None
        basis = "bound" if any(basis == "bound" for _, basis in bills) else "usage"
        return sum(costs, Decimal(0)), basis

    def exposed_nano(self, prices: Prices) -> int:
        """Return what all attempts so far may cost together, in nano-USD."""
        return sum(attempt.worst_nano(prices) for attempt in self.attempts)
