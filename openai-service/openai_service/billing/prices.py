"""Prices of models, and the most tokens that a call can count before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import orjson

from openai_service.protocol.chat import ChatRequest, ImagePart

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Prompt and completion tokens of a call; None: unknown."""

    prompt: int | None
    completion: int | None

    def widened(self, tokens: int) -> Tokens:
        """Return a copy with ``tokens`` more prompt tokens."""
        return self if self.prompt is None else Tokens(self.prompt + tokens, self.completion)


UNKNOWN = Tokens(None, None)


class Prices:
    """USD per million prompt and completion tokens, by model name or its prefix."""

    def __init__(self, table: Mapping[str, tuple[float, float]]) -> None:
        self._table = {name: (Decimal(str(prompt)), Decimal(str(made))) for name, (prompt, made) in table.items()}
        self._found: dict[str, tuple[Decimal, Decimal] | None] = {}

    def of(self, model: str) -> tuple[Decimal, Decimal] | None:
        """Return the prices of ``model``, None when it has none.

        The longest matching name wins, so that ``gpt-4o-mini-2024-07-18`` is priced as ``gpt-4o-mini``.
        """
        if model not in self._found:
            if len(self._found) > 1000:  # callers choose the names
                self._found.clear()
            names = [name for name in self._table if model == name or model.startswith(f"{name}-")]
            self._found[model] = self._table[max(names, key=len)] if names else None
        return self._found[model]

    def cost_usd(self, model: str, prompt_tokens: int | None, completion_tokens: int | None) -> Decimal | None:
        """Return the exact cost of a call; None when the model has no price or the tokens are unknown."""
        prices = self.of(model)
        if prices is None or prompt_tokens is None or completion_tokens is None:
            return None
        return (prices[0] * prompt_tokens + prices[1] * completion_tokens) / _MILLION


def bound_tokens(request: ChatRequest, body: Mapping[str, object], image_tokens: int) -> Tokens:
    """Return the most tokens that ``body`` can count, with ``image_tokens`` for each image.

    Chat models use byte-level tokenisers, whose tokens are one byte or more, and the JSON around a message is longer
    than the few tokens that delimit it. So the length of the body in bytes is an upper bound.
    """
    images = [
        len(part.image_url.url)
        for message in request.messages
        if isinstance(message.content, list)
        for part in message.content
        if isinstance(part, ImagePart)
    ]
    prompt = len(orjson.dumps(body)) - sum(images) + image_tokens * len(images)
    limits = [limit for limit in (body.get("max_tokens"), body.get("max_completion_tokens")) if isinstance(limit, int)]
    return Tokens(prompt, min(limits) if limits else None)
