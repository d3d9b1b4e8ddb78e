"""Prompt tokens that providers count beyond the bytes they are sent: a hidden prompt, or a template of their own."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from openai_service.billing.meter import Attempt

log = structlog.get_logger("castor.openai.margins")
_MODELS = 1000
_MOST = 1_000_000
"""Tokens; no context is longer, and a provider that counts nonsense must not stop all calls."""


class Margins:
    """What is held beyond a prompt's own bound: as configured by provider, and as its models were seen to count.

    What was learned is this replica's and ends with it, so it is logged, to be configured.
    """

    def __init__(self, configured: Mapping[str, int]) -> None:
        self._configured = configured
        self._learned: dict[tuple[str, str], int] = {}

    def of(self, provider: str, model: str) -> int:
        """Return the margin in tokens."""
        return max(self._configured.get(provider, 0), self._learned.get((provider, model), 0))

    def learn(self, attempt: Attempt) -> None:
        """Widen the margin where more prompt tokens were counted than the bound allowed."""
        counted, bound = attempt.used.prompt, attempt.most.prompt
        if counted is None or bound is None or counted <= bound:
            return
        key = attempt.provider, attempt.model
        # Calls that began together all met the old margin: what one of them taught must not be added twice.
        wanted = min(_MOST, counted - bound + attempt.margin)
        if wanted <= self.of(*key):
            return
        if len(self._learned) >= _MODELS and key not in self._learned:
            del self._learned[next(iter(self._learned))]
        self._learned[key] = wanted
        log.warning("hidden_prompt_tokens", provider=attempt.provider, model=attempt.model, margin_tokens=wanted)
