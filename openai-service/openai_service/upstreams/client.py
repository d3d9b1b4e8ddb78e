"""One API of OpenAI's shape, through the official SDK."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from openai import AsyncAzureOpenAI, AsyncOpenAI, AsyncStream

from castor_chassis.client.retry import AttemptFailed, Retrier, RetryPolicy
from castor_chassis.client.transport import httpx, new_client
from openai_service.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from openai_service.metrics import RETRIES
from openai_service.protocol.chat import ChatCompletion
from openai_service.protocol.messages import Json
from openai_service.protocol.vectors import Floats
from openai_service.settings import ProfileName, ProviderSettings
from openai_service.text.redaction import Redaction
from openai_service.upstreams.chunk_stream import UpstreamChunkStream
from openai_service.upstreams.embedding_reply import VectorReader
from openai_service.upstreams.failures import ATTEMPT_ERRORS, failure_of
from openai_service.upstreams.fitting import Fitter

T = TypeVar("T")
OPENAI_URL = "https://api.openai.com/v1"
_TIME_SHARE = 0.9
"""The rest of the caller's time is kept for the extractive fallback."""
_CHAT = "/chat/completions"
_EMBEDDINGS = "/embeddings"


@dataclass(frozen=True, slots=True)
class UpstreamOptions:
    """How an upstream is reached, and its limits; ``OpenAISettings`` describes each."""

    provider: ProviderSettings
    api_key: str | None
    timeout_seconds: float = 60
    attempts: int = 2
    max_in_flight: int = 64
    fail_max: int = 5
    reset_seconds: float = 60
    model_profiles: Mapping[str, ProfileName] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutgoingChat:
    """A chat request as it leaves, made by ``UpstreamClient.outgoing_chat``, so that it can be measured before."""

    body: dict[str, Any]
    redaction: Redaction | None = None
    """What the answer's placeholders stand for; None where nothing was redacted."""


class UpstreamClient:
    """One API of OpenAI's shape behind, from the outside in: bulkhead, retry, circuit breaker, timeout per attempt.

    Every call raises ``UpstreamUnavailable``, ``UpstreamTimeout`` or ``UpstreamRefused``. It is repeated only when the
    upstream did not process it: it was never sent, or was refused with 429 or 503. Requests and answers are plain
    JSON objects: building the SDK's typed objects would cost more than the rest of a call.
    """

    takes_tokens = True
    """Whether texts to embed may be given as numbers of tokens."""

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        self.name = options.provider.name
        self.settings = options.provider
        self.fitter = Fitter(options.provider, options.model_profiles)
        self._vectors = VectorReader(self.name)
        self._sdk = _sdk(options)
        self._in_flight = 0
        policy = RetryPolicy(
            attempts=options.attempts,
            attempt_timeout_seconds=options.timeout_seconds,
            fail_max=options.fail_max,
            reset_seconds=options.reset_seconds,
            time_share=_TIME_SHARE,
        )
        self._retrier = Retrier(f"llm-{self.name}", policy, on_retry=RETRIES.inc)
        self.breaker = self._retrier.breaker

    def outgoing_chat(self, body: dict[str, Any]) -> OutgoingChat:
        """Return what leaves the service for ``body``."""
        return OutgoingChat(body)

    def outgoing_text(self, text: str) -> str:
        """Return what leaves the service for a text to embed."""
        return text

    async def complete(self, chat: OutgoingChat) -> Json:
        """Return the complete answer to ``chat``, byte for byte as the upstream wrote it."""
        with self._slot():
            return await self._call(lambda: self._complete(self._addressed(chat.body)))

    async def stream(self, chat: OutgoingChat) -> UpstreamChunkStream:
        """Return once the first chunk has arrived."""
        streaming = {**self._addressed(chat.body), "stream": True}
        with ExitStack() as stack:
            stack.enter_context(self._slot())
            stream = await self._call(lambda: self._open(streaming))
            stream.on_close = stack.pop_all().close
            return stream

    async def embed(
        self, texts: Sequence[str | list[int]], model: str, dimensions: int | None
    ) -> tuple[Floats, int | None]:
        """Return one row per text, in order, and the tokens used; None where the upstream does not count them."""
        body: dict[str, Any] = {"model": model, "input": list(texts), "encoding_format": "float"}
        if dimensions is not None:
            body["dimensions"] = dimensions
        with self._slot():
            return await self._call(lambda: self._embed(self._addressed(body), model, len(texts), dimensions))

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        await self._sdk.close()

    def _addressed(self, body: dict[str, Any]) -> dict[str, Any]:
        # Azure's address names a deployment, and its SDK takes that from the model.
        model = body["model"]
        return {**body, "model": self._options.provider.deployments.get(model, model)}

    async def _complete(self, body: dict[str, Any]) -> Json:
        answer = await self._post(_CHAT, body)
        ChatCompletion.model_validate(answer.value)
        return answer

    async def _post(self, path: str, body: dict[str, Any]) -> Json:
        reply = await self._sdk.post(path, cast_to=httpx.Response, body=body)
        raw = reply.content
        value = orjson.loads(raw)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return Json(value, raw)

    async def _open(self, body: dict[str, Any]) -> UpstreamChunkStream:
        reply = await self._sdk.post(_CHAT, cast_to=object, body=body, stream=True, stream_cls=AsyncStream[Any])
        stream = UpstreamChunkStream(
            reply,
            limit_seconds=self._options.timeout_seconds,
            seconds=self._retrier.seconds,
            error_of=self._error_of,
        )
        try:
            await stream.begin()
        except BaseException:
            await stream.aclose()
            raise
        return stream

    def _error_of(self, error: Exception) -> Exception:
        return failure_of(error, self._options.api_key).error

    async def _embed(
        self, body: dict[str, Any], model: str, count: int, dimensions: int | None
    ) -> tuple[Floats, int | None]:
        reply = (await self._post(_EMBEDDINGS, body)).value
        rows = self._vectors.read(reply, model, count, dimensions)
        return rows, (reply.get("usage") or {}).get("prompt_tokens")

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if self._in_flight >= self._options.max_in_flight:
            raise UpstreamUnavailable(reason="too many calls in flight", retry_after_seconds=1)
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    async def _call(self, attempt: Callable[[], Awaitable[T]]) -> T:
        async def named(_seconds: float) -> T:
            try:
                return await attempt()
            except UpstreamError as error:
                # The upstream answered, but not what was asked for: a matter of configuration, not of its health.
                raise AttemptFailed(error.processed(), repeatable=False, outage=False) from error
            except ATTEMPT_ERRORS as error:
                raise failure_of(error, self._options.api_key) from error

        return await self._retrier.run(named, late=_late, refused=_refused)


def _late(seconds: float) -> AttemptFailed:
    return AttemptFailed(UpstreamTimeout(seconds=round(seconds, 3)).processed(), repeatable=False)


def _refused(retry_after_seconds: float) -> UpstreamUnavailable:
    return UpstreamUnavailable(reason="circuit breaker open", retry_after_seconds=retry_after_seconds)


def _sdk(options: UpstreamOptions) -> AsyncOpenAI:
    provider = options.provider
    base_url = provider.base_url or OPENAI_URL
    http_client = new_client(base_url, context=None, connections=options.max_in_flight)
    key = options.api_key or "none"
    # Retries and timeouts are ours alone: the SDK would report a broken connection as a timeout.
    if provider.kind == "azure":
        return AsyncAzureOpenAI(
            azure_endpoint=base_url, api_version=provider.api_version, api_key=key, max_retries=0, timeout=None,
            http_client=http_client,
        )  # fmt: skip
    return AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=None, http_client=http_client)
