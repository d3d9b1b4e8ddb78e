"""Fits chat requests to what an upstream accepts, and learns from its refusals what the table does not know."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from openai_service.errors import UpstreamRefused
from openai_service.protocol.chat import ChatRequest
from openai_service.settings import ProfileName, ProviderSettings
from openai_service.upstreams.profiles import (
    LIMIT_FIELDS,
    MODELS,
    PROFILES,
    SAMPLING,
    STANDARD_MESSAGE,
    Profile,
    model_profile,
)

log = structlog.get_logger("castor.openai.fitting")
T = TypeVar("T")
_MAX_MODELS = 1000
LEARNED_SECONDS = 3600.0
"""How long a refusal is remembered: a server may be replaced by one that accepts more."""
_UNKNOWN_FIELD = re.compile(
    r"unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|extra|not (?:permitted|allowed)|forbidden", re.I
)
_VALUE = re.compile(
    r"\bvalues?\b|does not support|must be|\brange\b|between|at (?:most|least)|(?:less|greater) than|m[ai][xn]imum",
    re.I,
)
_ADVICE = re.compile(r"\b(?:expected|use|did you mean|(?:allowed|supported|valid) (?:fields|parameters|keys))\b", re.I)
"""Where a refusal begins to name what is known."""
_ONLY_DEFAULT = re.compile(r"only the default", re.I)
_DROPPABLE = SAMPLING | {"stream_options", "metadata", "user", "seed", "reasoning_effort", "parallel_tool_calls"}
"""What an answer can be made without; a refusal of anything else is the caller's to know."""


class Fitter:
    """The profiles of one provider's models: as the settings and the table say, and as refusals taught."""

    def __init__(self, provider: ProviderSettings, models: Mapping[str, ProfileName]) -> None:
        self._provider = provider
        self._models = models
        self._learned: dict[str, tuple[Profile, float]] = {}

    def profile(self, model: str) -> Profile:
        """Return what ``model`` accepts; a setting of the model wins over one of the provider, that over the table."""
        known, until = self._learned.get(model, (None, 0.0))
        if known is not None and time.monotonic() < until:
            return known
        named = model_profile(model, self._models) or self._provider.profile or model_profile(model, MODELS)
        return PROFILES[named or ("compatible" if self._provider.kind == "compatible" else "openai")]

    async def send(self, body: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[T]]) -> tuple[T, list[str]]:
        """Return what ``send`` returns for the fitted body, and what was dropped or renamed.

        Where the upstream refuses a field as unknown, the request is sent again without it, and later ones for
        ``LEARNED_SECONDS`` at once; any other refusal is raised. Each repetition leaves a field out, so there are few.
        """
        model = str(body["model"])
        while True:
            profile = self.profile(model)
            fitted, changes = fit(body, profile)
            try:
                return await send(fitted), changes
            except UpstreamRefused as error:
                better = learned(profile, fitted, error)
                if better is None:
                    raise
                self._remember(model, better, error)

    def _remember(self, model: str, profile: Profile, error: UpstreamRefused) -> None:
        if len(self._learned) >= _MAX_MODELS:  # callers choose the names
            self._learned.clear()
        self._learned[model] = profile, time.monotonic() + LEARNED_SECONDS
        log.warning("profile_learned", provider=self._provider.name, model=model, reason=error.details["reason"])


def fit(body: Mapping[str, Any], profile: Profile) -> tuple[dict[str, Any], list[str]]:
    """Return what of ``body`` the profile accepts, and one phrase for each field that was dropped or renamed."""
    fitted: dict[str, Any] = {}
    changes: list[str] = []
    for name, value in body.items():
        if name in profile.dropped:
            changes.append(f"dropped {name}")
        elif name in LIMIT_FIELDS and profile.limit_field not in (None, name) and value is not None:
            changes.append(f"renamed {name} to {profile.limit_field}")
        else:
            fitted[name] = value
    limits = [body[name] for name in LIMIT_FIELDS if body.get(name) is not None]
    if profile.limit_field and limits:
        fitted[profile.limit_field] = min(limits)
    if profile.message_fields is not None:
        fitted["messages"], unknown = _messages(body["messages"], profile.message_fields)
        changes += [f"dropped messages.{name}" for name in unknown]
    return fitted, changes


def asked_changes(request: ChatRequest, changes: list[str]) -> tuple[str, ...]:
    """Return those of ``changes`` that concern what the caller sent, not what this service added."""
    sent = {name for name in request.model_fields_set if name != "stream_options"}
    if request.stream_options is not None and request.stream_options.include_usage:
        sent.add("stream_options")
    return tuple(change for change in changes if change.split()[1].partition(".")[0] in {*sent, "messages"})


def _messages(messages: list[dict[str, Any]], known: frozenset[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the messages with their known fields, and the names of fields that were dropped and said something."""
    unknown = {name for each in messages for name, value in each.items() if name not in known and value}
    return [_known_fields(each, known) for each in messages], sorted(unknown)


def _known_fields(message: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    said = {name: value for name, value in message.items() if name == "content" or value not in (None, [])}
    return {name: value for name, value in said.items() if name in known}


def learned(profile: Profile, sent: Mapping[str, Any], refusal: UpstreamRefused) -> Profile | None:
    """Return the profile without what ``refusal`` names as unknown of ``sent``; None where it names nothing such.

    What is learned holds for all callers, so neither a value out of range nor a caller's own words, which refusals
    repeat, teach anything.
    """
    if refusal.details["upstream_status"] not in (400, 422):
        return None
    named, of_messages = _unknown_names(sent, refusal)
    named &= sent.keys()
    if profile.limit_field is None and not named.isdisjoint(LIMIT_FIELDS):
        if LIMIT_FIELDS[0] in named:
            # Only models that think refuse it, since a limit of what they show would not bound what they cost.
            return replace(profile, limit_field=LIMIT_FIELDS[1], hides_thoughts=True)
        return replace(profile, limit_field=LIMIT_FIELDS[0])
    if dropped := named & _DROPPABLE:
        return replace(profile, dropped=profile.dropped | dropped)
    of_messages &= {name for each in sent["messages"] for name in each} - STANDARD_MESSAGE
    if profile.message_fields != STANDARD_MESSAGE and of_messages:
        return replace(profile, message_fields=STANDARD_MESSAGE)
    return None


def _unknown_names(sent: Mapping[str, Any], refusal: UpstreamRefused) -> tuple[set[str], set[str]]:
    """Return the fields of the request, and those of its messages, that a refusal calls unknown."""
    if refusal.unknown_fields is not None:
        return _names_of(refusal.unknown_fields)
    reason = str(refusal.details["reason"])
    if not _UNKNOWN_FIELD.search(reason):
        return set(), set()
    if refusal.param is not None:
        named, of_messages = _names_of((refusal.param,))
    else:
        words = set(re.findall(r"[a-z_]+", _ADVICE.split(reason)[0])) - _own_words(sent)
        named, of_messages = words, set(words)
    if _VALUE.search(reason):
        # A model that takes the default of a sampling field only can do without the field; any other value is wrong.
        return (named & SAMPLING if _ONLY_DEFAULT.search(reason) else set()), set()
    return named, of_messages


def _names_of(places: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Return the names of whole fields among ``places``, and of fields of messages; what is inside others is none."""
    paths = [re.findall(r"[A-Za-z_]+", place) for place in places]
    of_messages = {path[-1] for path in paths if path[:1] == ["messages"] and len(path) > 1}
    return {path[0] for path in paths if len(path) == 1}, of_messages


def _own_words(sent: Mapping[str, Any]) -> set[str]:
    """Return the words that the caller chose: in values, and in names below fields other than the messages."""
    texts = [text for name, value in sent.items() for text in _strings(value, keys=name != "messages")]
    return set(re.findall(r"[a-z_]+", "\n".join(texts)))


def _strings(value: Any, *, keys: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for child in value:
            yield from _strings(child, keys=keys)
    elif isinstance(value, dict):
        for name, child in value.items():
            if keys:
                yield name
            if name != "role":
                yield from _strings(child, keys=keys)
