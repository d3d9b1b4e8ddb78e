"""Fits chat requests to what an upstream accepts, and learns from its refusals what the table does not know."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
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
_UNKNOWN_FIELD = re.compile(
    r"unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|extra|not (?:permitted|allowed)|forbidden", re.I
)
_DROPPABLE = SAMPLING | {"stream_options", "metadata", "user", "seed", "reasoning_effort", "parallel_tool_calls"}
"""What an answer can be made without; a refusal of anything else is the caller's to know."""


class Fitter:
    """The profiles of one provider's models: as the settings and the table say, and as refusals taught."""

    def __init__(self, provider: ProviderSettings, models: Mapping[str, ProfileName]) -> None:
        self._provider = provider
        self._models = models
        self._learned: dict[str, Profile] = {}

    def profile(self, model: str) -> Profile:
        """Return what ``model`` accepts; a setting of the model wins over one of the provider, that over the table."""
        if model in self._learned:
            return self._learned[model]
        named = model_profile(model, self._models) or self._provider.profile or model_profile(model, MODELS)
        return PROFILES[named or ("compatible" if self._provider.kind == "compatible" else "openai")]

    async def send(self, body: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[T]]) -> tuple[T, list[str]]:
        """Return what ``send`` returns for the fitted body, and what was dropped or renamed.

        Where the upstream refuses a field as unknown, the request is sent again without it, and later ones at once;
        any other refusal is raised. Each repetition leaves a field out, so there are few.
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
        self._learned[model] = profile
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
    """Return the profile without what ``refusal`` names as unknown of ``sent``; None where it names nothing such."""
    reason = str(refusal.details["reason"])
    if refusal.details["upstream_status"] not in (400, 422) or not _UNKNOWN_FIELD.search(reason):
        return None
    words = set(re.findall(r"[a-z_]+", reason))
    named = words & sent.keys()
    if profile.limit_field is None and not named.isdisjoint(LIMIT_FIELDS):
        return replace(profile, limit_field=LIMIT_FIELDS[1] if LIMIT_FIELDS[0] in named else LIMIT_FIELDS[0])
    if dropped := named & _DROPPABLE:
        return replace(profile, dropped=profile.dropped | dropped)
    of_messages = {name for each in sent["messages"] for name in each} - STANDARD_MESSAGE
    if profile.message_fields != STANDARD_MESSAGE and of_messages & words:
        return replace(profile, message_fields=STANDARD_MESSAGE)
    return None
