"""What real providers refuse of a chat request, in their words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

_OPENAI_MESSAGE = {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call"}
_STRICT = {"model", "messages", "stream", "temperature", "top_p", "max_tokens", "stop", "seed", "tools", "tool_choice"}


def openai_reasoning(body: dict[str, Any]) -> web.Response | None:
    """Refuse as OpenAI does for a reasoning model."""
    if "max_tokens" in body:
        return _invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "max_tokens",
        )
    for name in ("top_p", "presence_penalty", "frequency_penalty", "logprobs", "stop"):
        if name in body:
            return _invalid(f"Unsupported parameter: '{name}' is not supported with this model.", name)
    if body.get("temperature", 1) != 1:
        return _invalid(
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is "
            "supported.",
            "temperature",
        )
    return openai(body)


def openai(body: dict[str, Any]) -> web.Response | None:
    """Refuse as OpenAI does for any model: unknown fields of messages, and empty lists of tool calls."""
    for at, message in enumerate(body["messages"]):
        for name in message.keys() - _OPENAI_MESSAGE:
            return _invalid(f"Additional properties are not allowed ('{name}' was unexpected) - 'messages.{at}'", None)
        if message.get("tool_calls") == []:
            return _invalid(f"[] is too short - 'messages.{at}.tool_calls'", None)
    return None


def strict(body: dict[str, Any]) -> web.Response | None:
    """Refuse every field that is not in a short list, as servers on pydantic with ``extra="forbid"`` do."""
    wrong = [["body", name] for name in body.keys() - _STRICT] + list(_strange_in_messages(body))
    detail = [{"type": "extra_forbidden", "loc": place, "msg": "Extra inputs are not permitted"} for place in wrong]
    return web.json_response({"detail": detail}, status=422) if wrong else None


def _strange_in_messages(body: dict[str, Any]) -> Iterator[list[Any]]:
    for at, message in enumerate(body["messages"]):
        for name in message.keys() - {"role", "content", "name", "tool_calls", "tool_call_id"}:
            yield ["body", "messages", at, name]


def _invalid(message: str, param: str | None) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": "unsupported_parameter"}
    return web.json_response({"error": error}, status=400)
