"""Composes the clients of all configured providers."""

from __future__ import annotations

from openai_service.protocol.models import BUNDLED, BUNDLED_FAST, DEFAULT, EXTRACTIVE, Model, ModelList
from openai_service.settings import OpenAISettings
from openai_service.upstreams.client import UpstreamClient, UpstreamOptions
from openai_service.upstreams.redacting_client import RedactingClient


def create_clients(settings: OpenAISettings) -> list[UpstreamClient]:
    """Return one client per provider, in the order of the settings; nothing is contacted yet."""
    return [_client(settings, options) for options in _options(settings)]


def _client(settings: OpenAISettings, options: UpstreamOptions) -> UpstreamClient:
    if settings.redact == "off":
        return UpstreamClient(options)
    return RedactingClient(options, handles=settings.redact == "handles")


def _options(settings: OpenAISettings) -> list[UpstreamOptions]:
    return [
        UpstreamOptions(
            provider=provider,
            api_key=settings.key_of(provider.name),
            timeout_seconds=settings.openai_timeout_seconds,
            attempts=settings.openai_attempts,
            max_in_flight=settings.peer_max_connections,
            fail_max=settings.breaker_fail_max,
            reset_seconds=settings.breaker_reset_seconds,
            model_profiles=settings.model_profiles,
        )
        for provider in settings.all_providers
    ]


def known_models(settings: OpenAISettings) -> ModelList:
    """Return the models that requests may name: those of the settings and routes, and those inside this service."""
    upstream = [settings.openai_model, settings.openai_embedding_model] if settings.has_upstream else []
    routed = [name for name in settings.routes if name != DEFAULT]
    names = [(name, "upstream") for name in dict.fromkeys([*upstream, *routed])]
    own = [(name, "castor") for name in (EXTRACTIVE, BUNDLED, BUNDLED_FAST)]
    return ModelList(data=[Model(id=name, created=0, owned_by=owner) for name, owner in [*names, *own]])
