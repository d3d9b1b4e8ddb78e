"""What each kind of upstream accepts of a chat request: the table of profiles, and which one a model has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from openai_service.settings import LimitField, ProfileName

LIMIT_FIELDS: tuple[LimitField, LimitField] = ("max_tokens", "max_completion_tokens")
THINKING = frozenset({"reasoning_content", "reasoning", "reasoning_details"})
"""Fields in which answers carry what the model thought before it answered."""
SAMPLING = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"})
STANDARD_MESSAGE = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})
OPENAI_MESSAGE = STANDARD_MESSAGE | {"refusal", "audio", "function_call", "annotations"}


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of upstream accepts."""

    limit_field: LimitField | None = None
    """The one field that bounds an answer; None: it knows both."""
    dropped: frozenset[str] = frozenset()
    """Fields of a request that it refuses."""
    message_fields: frozenset[str] | None = None
    """The fields of a message that it knows, none of which may be null or an empty list; None: it takes all, also null.

    ``content`` may be null in any case.
    """
    hides_thoughts: bool = False
    """Whether its answers are preceded by thoughts that are paid for and never shown."""


PROFILES: Mapping[ProfileName, Profile] = {
    "openai": Profile(message_fields=OPENAI_MESSAGE),
    "openai-reasoning": Profile("max_completion_tokens", SAMPLING | {"stop"}, OPENAI_MESSAGE, hides_thoughts=True),
    "compatible": Profile(),
    "strict": Profile(
        "max_tokens",
        frozenset({"stream_options", "logprobs", "top_logprobs", "reasoning_effort", "metadata", "user"}),
        STANDARD_MESSAGE,
    ),
    "vllm": Profile(),
    "deepseek": Profile("max_tokens"),
    "deepseek-reasoner": Profile("max_tokens", SAMPLING),
}
MODELS: Mapping[str, ProfileName] = {
    "o1": "openai-reasoning",
    "o3": "openai-reasoning",
    "o4": "openai-reasoning",
    "gpt-5": "openai-reasoning",
    "gpt-5-chat": "openai",
    "deepseek": "deepseek",
    "deepseek-reasoner": "deepseek-reasoner",
}
"""Profiles of models by the beginning of their name, whoever serves them; the longest counts."""


def model_profile(model: str, table: Mapping[str, ProfileName]) -> ProfileName | None:
    """Return the profile of the longest name in ``table`` that ``model`` begins with; None where there is none.

    A name ends at a character that is no letter or digit, so ``o1`` is not the beginning of ``o11``. What a name has
    in front of a slash, such as ``openai/gpt-5-mini``, is not looked at.
    """
    name = model.rpartition("/")[2]
    found = [start for start in table if re.match(rf"{re.escape(start)}(?![A-Za-z0-9])", name)]
    return table[max(found, key=len)] if found else None
