"""Which texts of chat requests are kept in the ledger: none by default, else redacted, bounded, and erased in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from openai_service.prompt_log.repository import PromptRepository
from openai_service.protocol.chat import ChatRequest, Message
from openai_service.text.prompt_elements import without_documents
from openai_service.text.redaction import Redaction, placeholders_in

log = structlog.get_logger("castor.openai.prompts")
ELLIPSIS = "…"
_ANSWERING = ("assistant", "tool")


class PromptLog:
    """Keeps at most ``characters`` characters of each request for ``days`` days; nothing unless ``enabled``."""

    def __init__(self, repository: PromptRepository, *, enabled: bool, characters: int, days: int) -> None:
        self._repository = repository
        self._enabled = enabled
        self._characters = characters
        self._max_age = timedelta(days=days)

    def excerpt(self, request: ChatRequest) -> list[dict[str, str]] | None:
        """Return the roles and redacted texts of the messages; None unless enabled.

        Of documents only their ids are kept, and of what a model or a tool said nothing, because documents are erased
        elsewhere and both may quote them; images and tool calls are left out as well. The last message is the question,
        so what is too long is cut from the first messages.
        """
        if not self._enabled:
            return None
        kept: list[dict[str, str]] = []
        left = self._characters
        for message in reversed(request.messages):
            text = _redacted(message, left)
            left -= len(text)
            kept.append({"role": message.role, "content": text})
        return kept[::-1]

    async def erase(self, tenant: str) -> int:
        """Erase the prompts of ``tenant``'s calls so far; returns how many were stored."""
        return await self._repository.erase(tenant)

    async def delete_expired(self) -> int:
        """Erase the prompts that are too old now; returns how many."""
        before, total = datetime.now(UTC) - self._max_age, 0
        while deleted := await self._repository.delete_before(before):
            total += deleted
        if total:
            log.info("prompts_expired", prompts=total, older_than_days=self._max_age.days)
        return total


def _redacted(message: Message, characters: int) -> str:
    if message.role in _ANSWERING or not characters:
        return ""
    # Before the cut, which could leave half of what is redacted.
    text = without_documents(message.text())
    redacted = Redaction(handles=True, taken=placeholders_in([text])).redact(text)
    if len(redacted) <= characters:
        return redacted
    return redacted[: max(0, characters - len(ELLIPSIS))] + ELLIPSIS[:characters]
