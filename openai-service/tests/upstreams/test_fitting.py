"""What refusals teach of a model, for all callers: fields that it does not know, and nothing that one caller chose."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from openai import APIStatusError

from castor_chassis.client.transport import httpx
from openai_service.errors import UpstreamRefused
from openai_service.settings import ProviderSettings
from openai_service.upstreams.failures import failure_of
from openai_service.upstreams.fitting import LEARNED_SECONDS, Fitter, learned
from openai_service.upstreams.profiles import PROFILES, Profile

MESSAGES = [{"role": "user", "content": "¿Cómo va la salud?"}]
STANDARD: Profile = PROFILES["compatible"]
FORBIDDEN = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}


def refusal(body: dict[str, Any], status: int = 400) -> UpstreamRefused:
    """Return what a provider's refusal becomes."""
    response = httpx.Response(status, request=httpx.Request("POST", "http://x"))
    error = failure_of(APIStatusError("refused", response=response, body=body), None).error  # type: ignore[arg-type]
    assert isinstance(error, UpstreamRefused)
    return error


def dropped(body: dict[str, Any], **sent: Any) -> frozenset[str]:
    """Return the fields that are left out for everybody after the refusal ``body`` of a request with ``sent``."""
    better = learned(STANDARD, {"messages": MESSAGES, **sent}, refusal(body))
    return frozenset() if better is None else better.dropped


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"message": "Unsupported parameter: 'seed' is not supported with this model.", "param": "seed"}, "seed", 1),
        ({"message": "Unrecognized request argument supplied: metadata", "param": None}, "metadata", {"a": "b"}),
        ({"message": 'json: unknown field "stream_options"'}, "stream_options", {"include_usage": True}),
        ({"message": "unknown field `user`, expected one of `model`, `messages`, `seed`"}, "user", "ana"),
        ({"detail": [{**FORBIDDEN, "loc": ["body", "user"], "input": "not supported value"}]}, "user", "ana"),
        ({"message": {"detail": [{**FORBIDDEN, "loc": ["body", "metadata"]}]}}, "metadata", {"a": "b"}),
        (
            {
                "message": "Unsupported value: 'temperature' does not support 0.3 with this model. Only the default "
                "(1) value is supported.",
                "param": "temperature",
            },
            "temperature",
            0.3,
        ),
    ],
)
def test_an_unknown_field_is_learned(body: dict[str, Any], field: str, value: Any) -> None:
    """However a provider says it: OpenAI, Go, pydantic, a message in a message."""
    assert dropped(body, **{"seed": 7, field: value}) == {field}


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (
            {
                "message": "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. "
                "Supported values are: 'low', 'medium', and 'high'.",
                "param": "reasoning_effort",
            },
            {"reasoning_effort": "minimal"},
        ),
        ({"message": "top_p of 2 is not allowed, it must be at most 1"}, {"top_p": 2}),
        ({"message": "seed out of range: 9 is not permitted"}, {"seed": 9}),
        (
            {"message": "Tool choice 'temperature-unknown' not found in tools"},
            {"temperature": 1, "tool_choice": {"type": "function", "function": {"name": "temperature-unknown"}}},
        ),
        (
            {"message": "Unknown tool: seed", "param": None},
            {"seed": 1, "tools": [{"type": "function", "function": {"name": "seed"}}]},
        ),
        ({"message": "unexpected 'user metadata'"}, {"metadata": {"user metadata": "x"}}),
        (
            {"message": "Invalid 'metadata.unknown': too long", "param": "metadata.unknown"},
            {"metadata": {"unknown": ""}},
        ),
        (
            {"detail": [{"type": "string_type", "loc": ["body", "user"], "msg": "not supported: extra_forbidden"}]},
            {"user": "ana"},
        ),
    ],
)
def test_neither_a_value_nor_a_callers_words_teach_anything(body: dict[str, Any], sent: dict[str, Any]) -> None:
    """One caller's mistake, or a name of its choosing, takes no field away from the others."""
    assert dropped(body, **sent) == frozenset()


def test_a_list_of_errors_is_told_without_what_was_sent() -> None:
    """The reason that a caller reads names the places and what is wrong there, not the values."""
    error = refusal({"detail": [{**FORBIDDEN, "loc": ["body", "messages", 0, "name"], "input": "secreto"}]}, 422)
    assert error.details["reason"] == "messages.0.name: Extra inputs are not permitted"


async def test_what_was_learned_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was replaced by a better one gets the whole request again, without a restart."""
    fitter = Fitter(ProviderSettings(name="a", base_url="http://x"), {})
    bodies: list[dict[str, Any]] = []

    async def send(body: dict[str, Any]) -> str:
        bodies.append(body)
        if "seed" in body and len(bodies) == 1:
            raise refusal({"message": "unknown field: seed"})
        return "ok"

    asked = {"model": "m", "messages": MESSAGES, "seed": 1}
    assert await fitter.send(asked, send) == ("ok", ["dropped seed"])
    assert await fitter.send(asked, send) == ("ok", ["dropped seed"])
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + LEARNED_SECONDS)
    monkeypatch.setattr("openai_service.upstreams.fitting.time", later)
    assert await fitter.send(asked, send) == ("ok", [])
    assert ["seed" in body for body in bodies] == [True, False, False, True]
