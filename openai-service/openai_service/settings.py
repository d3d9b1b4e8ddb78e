"""Settings of openai-service."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import SettingsConfigDict

from castor_chassis import HeaderSecret, HttpAddress, ServiceSettings, fits_a_header, reveal

_PRICES = {
    "gpt-4o-mini": (0.15, 0.60),
    "gpt-4o": (2.50, 10.00),
    "text-embedding-3-small": (0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.0),
}
_MAX_AHEAD_SECONDS = 5.0
PRIMARY = "openai"
ProfileName = Literal["openai", "openai-reasoning", "compatible", "strict", "vllm", "deepseek", "deepseek-reasoner"]
LimitField = Literal["max_tokens", "max_completion_tokens"]
Usd = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Account = Annotated[str, StringConstraints(pattern=r"^(total|(org|tenant|service):.{1,200})$")]


class ProviderSettings(BaseModel):
    """One more provider, beside the one that OPENAI_API_KEY and OPENAI_BASE_URL name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    kind: Literal["openai", "azure", "compatible"] = "compatible"
    base_url: HttpAddress | None = Field(
        None, description="Root of the API; for Azure the resource, https://x.openai.azure.com."
    )
    api_version: str | None = Field(None, description="Azure's, for example 2024-10-21.")
    deployments: dict[str, str] = Field({}, description="Azure's deployment of a model, where it is named otherwise.")
    profile: ProfileName | None = Field(
        None, description="What its models accept of a request; by default as the model's name and the kind say."
    )
    token_limit_field: LimitField | None = Field(
        None, description="Which field bounds an answer; by default max_tokens for compatible APIs."
    )
    completion_token_limit: int | None = Field(
        None, ge=1, description="The most tokens of an answer that it can write; requests for more are lowered to it."
    )
    hidden_prompt_tokens: int = Field(
        0, ge=0, le=1_000_000, description="Prompt tokens that it counts beyond the bytes sent, held by budgets."
    )
    embedding_inputs: int = Field(256, ge=1, le=2048, description="The most texts of one embeddings request.")
    embedding_tokens: int = Field(
        300_000, ge=1, description="The most tokens of one embeddings request, counted as bytes of text."
    )

    @property
    def limit_field(self) -> str:
        """The request field that bounds an answer's tokens."""
        return self.token_limit_field or ("max_tokens" if self.kind == "compatible" else "max_completion_tokens")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.kind != "openai" and self.base_url is None:
            raise ValueError(f"provider {self.name}: set base_url")
        if (self.kind == "azure") != (self.api_version is not None):
            raise ValueError(f"provider {self.name}: api_version is for kind azure, which needs it")
        return self


class OpenAISettings(ServiceSettings):
    """Without providers there is no upstream: chat answers are extractive, embeddings are bundled."""

    # The report of a wrong setting must not contain keys.
    model_config = SettingsConfigDict(hide_input_in_errors=True)
    service_name: ClassVar[str] = "openai-service"

    openai_api_key: HeaderSecret | None = Field(None, description="Key of the upstream; never logged, never answered.")
    openai_base_url: HttpAddress | None = Field(
        None,
        description="Root of any OpenAI-compatible API, for example http://ollama:11434/v1; "
        "by default OpenAI's own when a key is set.",
    )
    openai_profile: ProfileName | None = Field(
        None, description="What models at OPENAI_BASE_URL accept of a request; by default as their names say."
    )
    model_profiles: dict[str, ProfileName] = Field(
        {}, description="Profiles of models by the beginning of their name, as JSON; see the README."
    )
    openai_model: str = Field("gpt-4o-mini", description="Chat model when a request names none or 'default'.")
    openai_embedding_model: str = Field(
        "text-embedding-3-small", description="Embedding model when the upstream makes the embeddings."
    )
    openai_timeout_seconds: float = Field(
        60, gt=0, description="Per attempt; in a stream, up to the first chunk and between two chunks."
    )
    openai_attempts: int = Field(
        2, ge=1, le=5, description="Attempts per call; only what the upstream did not process is repeated."
    )
    providers: list[ProviderSettings] = Field([], description="More APIs to answer, as JSON; see the README.")
    provider_keys: SecretStr | None = Field(None, description="Keys of PROVIDERS, as JSON: {name: key}.")
    routes: dict[str, list[str]] = Field(
        {},
        description="Who answers, in order of preference, as JSON: {model or task: [provider/model, ...]}; "
        "'default' is for requests that name no model.",
    )
    hedge_after_seconds: float | None = Field(
        None, gt=0, description="Ask the next of a route too when the first has not begun by then; both may cost."
    )
    chat_timeout_seconds: float = Field(
        120, gt=0, description="Deadline of a chat request, streams included; language models are slow."
    )
    stream_heartbeat_seconds: float = Field(
        15, gt=0, description="A stream sends at least a comment this often, so that no proxy closes it as idle."
    )
    chat_cache_seconds: int = Field(
        1800, ge=0, description="How long an answer is cached for equal requests of the same tenant; 0: not at all."
    )
    semantic_cache: bool = Field(
        False,
        description="Use the cached answer of a question that differs in wording only; never across tenants. "
        "Needs CHAT_CACHE_SECONDS.",
    )
    embedding_provider: Literal["auto", "bundled", "bundled-fast", "upstream"] = Field(
        "auto", description="Who makes the default embeddings; auto: the upstream when there is one, else 'bundled'."
    )
    encoder_queue_texts: int = Field(
        4096, ge=1, description="Texts that may wait for the bundled encoder; beyond them requests get 429."
    )
    embedding_cache_seconds: int = Field(
        2_592_000, ge=1, description="How long a vector is cached; it changes only with the model."
    )
    redact: Literal["off", "on", "handles"] = Field(
        "on",
        description="Replace e-mail addresses, telephone, document and card numbers in all that is sent upstream; "
        "'handles' replaces @names as well.",
    )
    image_sources: Literal["public", "data"] = Field(
        "public",
        description="Images of requests: also by https at a public host name, or 'data', in the request itself only. "
        "A model in one's own network fetches what a name leads to, which may be an address inside.",
    )
    allow_degraded: bool = Field(
        True, description="Answer by quoting when no language model answers; else such requests get 503."
    )
    price_table: dict[str, tuple[float, float]] = Field(
        _PRICES,
        description="USD per million prompt and completion tokens by model name or its prefix, as JSON.",
    )
    budgets: dict[Account, Usd] = Field(
        {},
        description="Monthly limits in USD, as JSON: total, org:<id>, org:*, tenant:<principal>, tenant:*, "
        "service:<name>, service:*.",
    )
    budget_lease_seconds: float = Field(
        180, gt=0, description="When the hold of a call that never ends expires; longer than any call takes."
    )
    budget_ahead_calls: int = Field(
        32,
        ge=0,
        le=1000,
        description="For how many later calls one statement preallocates money where a budget has plenty; 0: for none.",
    )
    completion_token_limit: int = Field(
        4096, ge=1, description="Limit of the answer of priced calls that set none, while a budget applies."
    )
    image_token_limit: int = Field(50_000, ge=1, description="The most that one image of a prompt may count for.")
    ledger_queue_rows: int = Field(
        10_000,
        ge=1,
        description="Ledger rows held while PostgreSQL is away; beyond it rows are dropped and counted.",
    )
    ledger_prompts: bool = Field(
        False, description="Keep the redacted texts of chat requests in the ledger; off: no text is ever stored."
    )
    ledger_days: int = Field(
        1100, ge=62, le=36500, description="Calls in the ledger, and spending of budgets, are deleted when this old."
    )
    ledger_prompt_characters: int = Field(
        8_000, ge=1, le=1_000_000, description="The most that is kept of a request, all of its messages together."
    )
    ledger_prompt_days: int = Field(
        30, ge=1, le=3650, description="Prompts are erased when they are this old; the rest of their rows stays."
    )

    @property
    def has_upstream(self) -> bool:
        """True when a provider is configured; a local server needs a base URL and no key."""
        return bool(self.all_providers)

    @property
    def embeds_upstream(self) -> bool:
        """True when the default embeddings are made by the upstream."""
        return self.has_upstream and not self.embedding_provider.startswith("bundled")

    @property
    def own_encoder(self) -> str:
        """The bundled encoder that makes the default embeddings when no upstream does."""
        return "bundled-fast" if self.embedding_provider == "bundled-fast" else "bundled"

    @property
    def encoders_at_start(self) -> set[str]:
        """The encoders that requests without a model need: for default embeddings, and for quotes if no upstream is."""
        needed = set() if self.embeds_upstream else {self.own_encoder}
        return needed if self.has_upstream else {*needed, "bundled-fast"}

    @property
    def budget_ahead_seconds(self) -> float:
        """How long later calls may use a preallocation: the rest of its lease must outlast each of them."""
        return min(_MAX_AHEAD_SECONDS, (self.budget_lease_seconds - self.chat_timeout_seconds) / 2)

    @cached_property
    def all_providers(self) -> list[ProviderSettings]:
        """All providers; the first is asked where no route says otherwise."""
        if self.openai_api_key is None and self.openai_base_url is None:
            return self.providers
        kind: Literal["openai", "compatible"] = "openai" if self.openai_base_url is None else "compatible"
        primary = ProviderSettings(name=PRIMARY, kind=kind, base_url=self.openai_base_url, profile=self.openai_profile)
        return [primary, *self.providers]

    def key_of(self, provider: str) -> str | None:
        """Return the key of a provider, or None."""
        if provider == PRIMARY and self.openai_api_key is not None:
            return reveal(self.openai_api_key)
        keys: dict[str, str] = orjson.loads(reveal(self.provider_keys) or "{}")
        return keys.get(provider)

    @model_validator(mode="after")
    def _upstream_is_consistent(self) -> Self:
        if self.openai_timeout_seconds >= self.chat_timeout_seconds:
            raise ValueError(
                f"openai_timeout_seconds={self.openai_timeout_seconds:g} must be below "
                f"chat_timeout_seconds={self.chat_timeout_seconds:g}, or no time is left to answer without the upstream"
            )
        if self.embedding_provider == "upstream" and not self.has_upstream:
            raise ValueError("embedding_provider=upstream needs an upstream: set OPENAI_API_KEY or OPENAI_BASE_URL")
        return self

    @model_validator(mode="after")
    def _holds_outlast_calls(self) -> Self:
        if self.budget_lease_seconds <= self.chat_timeout_seconds:
            raise ValueError(
                f"budget_lease_seconds={self.budget_lease_seconds:g} must be above "
                f"chat_timeout_seconds={self.chat_timeout_seconds:g}, or money is free again while a call spends it"
            )
        return self

    @model_validator(mode="after")
    def _routes_name_providers(self) -> Self:
        names = [provider.name for provider in self.all_providers]
        if len(set(names)) < len(names):
            raise ValueError(f"PROVIDERS: two have the same name among {', '.join(names)}; rename one")
        for name, route in self.routes.items():
            for target in route:
                provider, _, model = target.partition("/")
                if provider not in names or not model:
                    raise ValueError(
                        f"ROUTES: '{target}' of '{name}' is no provider/model of {', '.join(names) or 'none'}"
                    )
        return self

    @model_validator(mode="after")
    def _provider_keys_are_json(self) -> Self:
        try:
            keys = orjson.loads(reveal(self.provider_keys) or "{}")
        except ValueError:
            keys = None
        if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
            raise ValueError("PROVIDER_KEYS must be a JSON object of provider names and keys")
        if unfit := [name for name, key in keys.items() if not fits_a_header(key)]:
            raise ValueError(f"PROVIDER_KEYS: the key of {unfit[0]} is not printable ASCII without blanks")
        return self
