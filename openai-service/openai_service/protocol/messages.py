"""What travels between an upstream and a client: JSON objects together with their bytes, and streams of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

WRITTEN_FIELDS = ("content", "reasoning_content", "reasoning")
"""Where the text of an answer is in a message or in the change of one."""


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON object and the bytes it was read from, kept so that what is passed on is not serialised again."""

    value: dict[str, Any]
    raw: bytes

    @classmethod
    def of(cls, value: dict[str, Any]) -> Json:
        """Return ``value`` with its serialised bytes."""
        return cls(value, orjson.dumps(value))


class ChunkStream(Protocol):
    """Chunks of a chat completion; ``aclose`` stops whoever produces them."""

    def __aiter__(self) -> AsyncIterator[Json]:
        """Return the iterator; a stream is iterated once."""

    async def aclose(self) -> None:
        """End the stream early; safe to call twice."""
