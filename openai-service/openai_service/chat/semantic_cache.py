"""The optional semantic cache: a question asked in other words gets the answer that is there.

It maps a question on the key of an equal one that was asked before; what lies under that key (an answer, a stream, a
flight under way) is the exact cache's affair. The map is per tenant, and everything but the last question's words
(model, earlier turns, parameters) must be equal. What counts as equal is ``meaning``'s to say.
"""

from __future__ import annotations

import hashlib

from castor_chassis import Cache
from openai_service.chat.response_cache import key_of
from openai_service.metrics import SEMANTIC
from openai_service.protocol.chat import ChatRequest
from openai_service.text.question_form import Meaning, meaning_of, same

_MAX_CHARACTERS = 400


class SemanticIndex:
    """Never raises: without Redis every question stands for itself."""

    def __init__(self, cache: Cache, *, on: bool, ttl_seconds: int) -> None:
        self._cache = cache
        self._on = on
        self._ttl = ttl_seconds

    async def key(self, tenant: str, request: ChatRequest, targets: list[str], exact: str) -> str:
        """Return the key of an equal question asked before, or ``exact``, which is then remembered."""
        text = _question(request) if self._on else None
        meaning = meaning_of(text) if text else None
        if text is None or meaning is None:
            return exact
        place = _place(tenant, request, targets, meaning)
        [stored] = await self._cache.get_many([place])
        key, _, asked = (stored or b"").decode(errors="replace").partition("\n")
        known = meaning_of(asked) if asked else None
        if known is not None and same(meaning, known):
            SEMANTIC.labels("same" if key == exact else "hit").inc()
            return key
        SEMANTIC.labels("miss").inc()
        await self._cache.set_many({place: f"{exact}\n{text}".encode()}, self._ttl)
        return exact


def _question(request: ChatRequest) -> str | None:
    """Return the last question, where the answer depends on its meaning alone: short prose, no documents, no tools."""
    last = request.messages[-1]
    if last.role != "user" or not isinstance(last.content, str) or request.tools or request.structured_field():
        return None
    return last.content if len(last.content) <= _MAX_CHARACTERS and "<" not in last.content else None


def _place(tenant: str, request: ChatRequest, targets: list[str], meaning: Meaning) -> str:
    last = request.messages[-1].model_copy(update={"content": ""})
    around = key_of(tenant, request.model_copy(update={"messages": [*request.messages[:-1], last]}), targets)
    return f"semantic:{around}:{hashlib.sha256(chr(0).join(meaning.key).encode()).hexdigest()}"
