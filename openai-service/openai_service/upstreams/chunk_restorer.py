"""Puts what was redacted back into the chunks of a stream, wherever a text of the answer is written."""

from __future__ import annotations

from typing import Any

from openai_service.protocol.messages import Json
from openai_service.text.redaction import Redaction, StreamRestorer

Path = tuple[str | int, ...]
"""Where a text is in a choice: names of fields, and the numbers of items of lists."""


class ChunkRestorer:
    """Restores every text of the changes that chunks bring: content, refusals, thoughts, and the arguments of calls.

    A text comes in pieces over many chunks, so what may be the beginning of a placeholder is held back until its end
    arrives, or until the chunk with the finish reason.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._restorers: dict[Path, StreamRestorer] = {}

    def restore(self, chunk: Json) -> Json:
        """Return the chunk with what is certain of its texts."""
        choices = chunk.value.get("choices") or []
        if not choices:
            return chunk
        # There is one choice: ``n`` is always 1.
        delta = self._restored(choices[0].get("delta") or {}, ())
        if choices[0].get("finish_reason"):
            for path, restorer in self._restorers.items():
                if rest := restorer.rest():
                    delta = _appended(delta, path, rest)
        return Json.of({**chunk.value, "choices": [{**choices[0], "delta": delta}]})

    def _restored(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self._restorer(path).feed(value)
        if isinstance(value, dict):
            return {name: self._restored(child, (*path, name)) for name, child in value.items()}
        if isinstance(value, list):
            return [self._restored(child, (*path, _number(child, at))) for at, child in enumerate(value)]
        return value

    def _restorer(self, path: Path) -> StreamRestorer:
        if path not in self._restorers:
            self._restorers[path] = StreamRestorer(self._redaction)
        return self._restorers[path]


def _number(item: Any, at: int) -> int:
    """Return which item of the whole answer's list a chunk's item is: the one it names, else the one at its place."""
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int) else at


def _appended(value: Any, path: Path, text: str) -> Any:
    """Return ``value`` with ``text`` at the end of the text at ``path``, and with what is missing on the way there."""
    if not path:
        return (value or "") + text
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        fields = value or {}
        return {**fields, step: _appended(fields.get(step), rest, text)}
    if not isinstance(value, list | None):
        raise TypeError("a text that became a list")
    items = value or []
    found = next((at for at, item in enumerate(items) if _number(item, at) == step), None)
    if found is None:
        return [*items, _appended({"index": step} if rest else None, rest, text)]
    return [*items[:found], _appended(items[found], rest, text), *items[found + 1 :]]
