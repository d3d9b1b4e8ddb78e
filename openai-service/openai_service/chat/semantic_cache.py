"""The optional semantic cache: a question that was asked in other words gets the cached answer.

It maps a question to the key of an equal question that was asked before; the response cache and single-flight do the
rest under that key. The map is per tenant, and everything but the words of the last question (model, earlier turns,
parameters) must be equal. ``text.question_form`` decides which questions are equal. An entry is sealed by what it is
the key of, because it opens an answer (``castor_chassis.storage.sealing``).
"""

from __future__ import annotations

from castor_chassis import Cache
from castor_chassis.storage.sealing import Seal
from openai_service.chat.response_cache import request_key
from openai_service.metrics import SEMANTIC
from openai_service.protocol.chat import ChatRequest
from openai_service.text.question_form import QuestionForm, is_same_question, question_form

_MAX_CHARACTERS = 400


class SemanticCache:
    """Keys of questions by their form. Never raises: without Redis no question is equal to another."""

    def __init__(self, cache: Cache, *, enabled: bool, ttl_seconds: int) -> None:
        self._cache = cache
        self._enabled = enabled
        self._ttl = ttl_seconds

    async def key(self, tenant: str, request: ChatRequest, targets: list[str], exact: str) -> str:
        """Return the key of an equal question asked before, or ``exact``, which is remembered then."""
        text = _question(request) if self._enabled else None
        form = question_form(text) if text else None
        if text is None or form is None:
            return exact
        seal = _seal(tenant, request, targets, form)
        place = f"semantic:{seal.name.hex()}"
        [stored] = await self._cache.get_many([place])
        key, _, earlier = (seal.open(stored) or b"").decode(errors="replace").partition("\n")
        known = question_form(earlier) if earlier else None
        if known is not None and is_same_question(form, known):
            SEMANTIC.labels("same" if key == exact else "hit").inc()
            return key
        SEMANTIC.labels("miss").inc()
        await self._cache.set_many({place: seal.close(f"{exact}\n{text}".encode())}, self._ttl)
        return exact


def _question(request: ChatRequest) -> str | None:
    """Return the last question if the answer depends on its meaning alone: short prose, no documents, no tools."""
    last = request.messages[-1]
    if last.role != "user" or not isinstance(last.content, str) or request.tools or request.structured_field():
        return None
    return last.content if len(last.content) <= _MAX_CHARACTERS and "<" not in last.content else None


def _seal(tenant: str, request: ChatRequest, targets: list[str], form: QuestionForm) -> Seal:
    last = request.messages[-1].model_copy(update={"content": ""})
    around = request_key(tenant, request.model_copy(update={"messages": [*request.messages[:-1], last]}), targets)
    return Seal("\0".join(("question", around, *form.key)))
