"""What an answer is made of, and the provider that needs no model."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from openai_service.extractive.passages import read_prompt
from openai_service.extractive.ranker import Encoder, answer
from openai_service.protocol.chat import EXTRACTIVE, ChatRequest


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON object and the bytes that it is on the wire, kept so that what is passed on is never written anew."""

    value: dict[str, Any]
    raw: bytes

    @classmethod
    def of(cls, value: dict[str, Any]) -> Json:
        """Return ``value`` with its bytes."""
        return cls(value, orjson.dumps(value))


class ChunkStream(Protocol):
    """Chunks of a chat completion; ``aclose`` stops whoever makes them."""

    def __aiter__(self) -> AsyncIterator[Json]:
        """Iterate once."""

    async def aclose(self) -> None:
        """End the stream early; safe to call twice."""


class Extractive:
    """Quotes the documents of the prompt; see ``extractive``."""

    name = EXTRACTIVE

    def __init__(self, in_thread: Callable[..., Awaitable[list[str]]], encoder: Callable[[], Encoder | None]) -> None:
        self._in_thread = in_thread
        self._encoder = encoder

    async def complete(self, request: ChatRequest, model: str) -> Json:
        """Return the whole answer."""
        text = "".join(await self._pieces(request))
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        head = _head("chat.completion", model)
        return Json.of({**head, "choices": [choice], "usage": _usage(request, text)})

    async def stream(self, request: ChatRequest, model: str) -> ChunkStream:
        """Return once the answer has begun, so that what fails before can still be answered otherwise."""
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
        prompt = read_prompt([message.text() for message in request.messages if message.role == "user"])
        return await self._in_thread(lambda: list(answer(prompt, self._encoder())))


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def _usage(request: ChatRequest, text: str) -> dict[str, int]:
    asked = sum(len(message.text().split()) for message in request.messages)
    answered = len(text.split())
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
