"""A stream says again what was redacted, in every text of the answer, wherever the pieces are cut."""

from __future__ import annotations

from typing import Any

import pytest

from openai_service.protocol.messages import Json
from openai_service.text.redaction import Redaction
from openai_service.upstreams.chunk_restorer import ChunkRestorer

PHONE = "3101234567"


def restored(*deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the deltas as a caller gets them whose phone number was redacted; the last one ends the answer."""
    redaction = Redaction()
    assert redaction.redact(f"celular {PHONE}") == "celular [TELEFONO_1]"
    restorer = ChunkRestorer(redaction)
    reasons = [None] * (len(deltas) - 1) + ["tool_calls"]
    choices = [{"index": 0, "delta": delta, "finish_reason": why} for delta, why in zip(deltas, reasons, strict=True)]
    chunks = [restorer.restore(Json.of({"choices": [choice]})) for choice in choices]
    return [chunk.value["choices"][0]["delta"] for chunk in chunks]


def call(index: int, arguments: str) -> dict[str, Any]:
    """Return a piece of a tool call."""
    return {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}


def arguments(deltas: list[dict[str, Any]], index: int) -> str:
    """Return the arguments of a tool call as an SDK adds them up."""
    calls = [one for delta in deltas for one in delta.get("tool_calls", []) if one["index"] == index]
    return "".join(one["function"]["arguments"] for one in calls)


def test_the_arguments_of_each_tool_call_are_restored() -> None:
    """Two calls in turns, cut within the placeholder: each gets its own text."""
    deltas = restored(call(0, '{"to":"[TELE'), call(1, '{"a":"[TELEFONO'), call(0, 'FONO_1]"}'), call(1, '_1]"}'), {})
    assert arguments(deltas, 0) == f'{{"to":"{PHONE}"}}'
    assert arguments(deltas, 1) == f'{{"a":"{PHONE}"}}'


@pytest.mark.parametrize("field", ["content", "refusal", "reasoning_content"])
def test_texts_are_restored(field: str) -> None:
    """What the model says, refuses or thinks."""
    deltas = restored({"role": "assistant", field: "al [TELEFONO"}, {field: "_1] y ["}, {})
    assert "".join(delta.get(field, "") for delta in deltas) == f"al {PHONE} y ["
    assert deltas[0]["role"] == "assistant"


def test_a_function_call_and_parts_of_a_content_are_restored() -> None:
    """The older shape of a call, and content as a list, which some servers send."""
    deltas = restored(
        {
            "function_call": {"name": "f", "arguments": "[TELEFONO_"},
            "content": [{"type": "text", "text": "[TELEFONO_1]"}],
        },
        {"function_call": {"arguments": "1]"}, "content": None},
    )
    assert "".join(delta["function_call"]["arguments"] for delta in deltas) == PHONE
    assert deltas[0]["content"] == [{"type": "text", "text": PHONE}]


def test_what_is_held_back_comes_with_the_end() -> None:
    """An answer that was cut in what looks like a placeholder loses no character, in a call either."""
    deltas = restored(call(1, '{"to":"[TEL'), {})
    assert arguments(deltas, 1) == '{"to":"[TEL'
