"""Token margins: prompt tokens that a provider counts beyond the bytes it is sent, such as a hidden system prompt."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from openai_service.billing.meter import Attempt

log = structlog.get_logger("castor.openai.margins")
_MAX_MODELS = 1000
_MAX_TOKENS = 1_000_000
"""No context is longer, and a provider that counts nonsense must not stop all calls."""


class TokenMargins:
    """The tokens that are held beyond a prompt's own bound: as configured by provider, or as observed by model.

    Observations are kept in this replica's memory only, so each is logged, to be configured.
    """

    def __init__(self, configured: Mapping[str, int]) -> None:
        self._configured = configured
        self._observed: dict[tuple[str, str], int] = {}

    def of(self, provider: str, model: str) -> int:
        """Return the margin in tokens."""
        return max(self._configured.get(provider, 0), self._observed.get((provider, model), 0))

    def observe(self, attempt: Attempt) -> None:
        """Widen the model's margin if more prompt tokens were counted than the attempt's bound allowed."""
        counted, bound = attempt.used.prompt, attempt.bound.prompt
        if counted is None or bound is None or counted <= bound:
            return
        key = attempt.provider, attempt.model
        # Concurrent calls all had the old margin in their bounds: the same excess must not be added twice.
        wanted = min(_MAX_TOKENS, counted - bound + attempt.margin)
        if wanted <= self.of(*key):
            return
        if len(self._observed) >= _MAX_MODELS and key not in self._observed:
            del self._observed[next(iter(self._observed))]
        self._observed[key] = wanted
        log.warning("hidden_prompt_tokens", provider=attempt.provider, model=attempt.model, margin_tokens=wanted)
