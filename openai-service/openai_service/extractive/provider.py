"""The extractive provider: answers chat requests without a language model, by quoting the documents in the prompt."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from openai_service.extractive.passages import read_prompt
from openai_service.extractive.ranker import Encoder, answer
from openai_service.protocol.chat import ChatRequest
from openai_service.protocol.messages import ChunkStream, Json
from openai_service.protocol.models import EXTRACTIVE


class ExtractiveProvider:
    """Answers in OpenAI's shape with the passages that ``ranker`` chooses. Its usage counts words."""

    name = EXTRACTIVE

    def __init__(self, in_thread: Callable[..., Awaitable[list[str]]], encoder: Callable[[], Encoder | None]) -> None:
        self._in_thread = in_thread
        self._encoder = encoder

    async def complete(self, request: ChatRequest, model: str) -> Json:
        """Return the complete answer."""
        text = "".join(await self._pieces(request))
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        head = _head("chat.completion", model)
        return Json.of({**head, "choices": [choice], "usage": _usage(request, text)})

    async def stream(self, request: ChatRequest, model: str) -> ChunkStream:
        """Return the stream once the passages are chosen; a failure until then can be answered with a status."""
        return self._chunks(request, model, await self._pieces(request))

    async def _chunks(self, request: ChatRequest, model: str, pieces: list[str]) -> AsyncGenerator[Json, None]:
        head = _head("chat.completion.chunk", model)
        deltas: list[dict[str, Any]] = [
            {"role": "assistant", "content": ""},
            *({"content": piece} for piece in pieces),
            {},
        ]
        for number, delta in enumerate(deltas, 1):
            reason = "stop" if number == len(deltas) else None
            yield Json.of({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        yield Json.of({**head, "choices": [], "usage": _usage(request, "".join(pieces))})

    async def _pieces(self, request: ChatRequest) -> list[str]:
        asked = [message.text() for message in request.messages if message.role == "user"]
        return await self._in_thread(lambda: list(answer(read_prompt(asked), self._encoder())))


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def _usage(request: ChatRequest, text: str) -> dict[str, int]:
    prompt = sum(len(message.text().split()) for message in request.messages)
    completion = len(text.split())
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
