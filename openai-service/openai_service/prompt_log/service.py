"""Prompts in the ledger, for those who ask for them: redacted, bounded, and erased again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from openai_service.protocol.chat import ChatRequest, Message
from openai_service.text.redaction import Redaction, placeholders_in

log = structlog.get_logger("castor.openai.prompts")
SWEEP_SECONDS = 3600.0
CUT = "…"
# Longer than anything that is redacted, so that no half of it is left where the text is cut.
_MARGIN_CHARACTERS = 1000


class PromptStore(Protocol):
    """Where prompts are."""

    async def forget_prompts(self, before: datetime) -> int:
        """Erase some prompts of calls before ``before``; returns how many, 0 when none is left."""


class KeptPrompts:
    """What of a request the ledger keeps: nothing, unless ``on``."""

    def __init__(self, store: PromptStore, *, on: bool, characters: int, days: int) -> None:
        self._store = store
        self._on = on
        self._characters = characters
        self._age = timedelta(days=days)

    def of(self, request: ChatRequest) -> list[dict[str, str]] | None:
        """Return the messages' roles and texts, redacted; images and tool calls are left out.

        All texts together have at most ``characters`` characters. The last message is what was asked, so what does
        not fit is cut from the first ones.
        """
        if not self._on:
            return None
        kept: list[dict[str, str]] = []
        left = self._characters
        for message in reversed(request.messages):
            text = _shown(message, left)
            left -= len(text)
            kept.append({"role": message.role, "content": text})
        return kept[::-1]

    async def sweep(self, every_seconds: float = SWEEP_SECONDS) -> None:
        """Erase what is too old, for ever; also when nothing new is kept any more."""
        while True:
            await self.forget()
            await asyncio.sleep(every_seconds)

    async def forget(self) -> int:
        """Erase what is too old now; returns how many prompts."""
        before, total = datetime.now(UTC) - self._age, 0
        while forgotten := await self._store.forget_prompts(before):
            total += forgotten
        if total:
            log.info("prompts_forgotten", prompts=total, older_than_days=self._age.days)
        return total


def _shown(message: Message, characters: int) -> str:
    text = message.text()[: characters + _MARGIN_CHARACTERS]
    redacted = Redaction(handles=True, taken=placeholders_in([text])).redact(text)
    return redacted if len(redacted) <= characters else redacted[: max(0, characters - len(CUT))] + CUT[:characters]
