"""One API of OpenAI's shape, through the official SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from openai import AsyncAzureOpenAI, AsyncOpenAI, AsyncStream

from castor_chassis.client.breaker import BreakerOpen, GatedBreaker
from castor_chassis.client.retry import RetryBudget, backoff_seconds
from castor_chassis.client.transport import httpx, new_client
from castor_chassis.context import remaining_seconds
from openai_service.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from openai_service.metrics import RETRIES
from openai_service.protocol.chat import ChatCompletion
from openai_service.protocol.messages import Json
from openai_service.protocol.vectors import Floats
from openai_service.settings import ProviderSettings
from openai_service.upstreams.chunk_stream import UpstreamChunkStream
from openai_service.upstreams.embedding_reply import VectorReader
from openai_service.upstreams.failures import ATTEMPT_ERRORS, AttemptFailed, failure_of

T = TypeVar("T")
OPENAI_URL = "https://api.openai.com/v1"
_FALLBACK_SHARE = 0.9
_FAIR_SECONDS = 5.0
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


class _CallerLeft(Exception):
    """The caller went away, which says nothing about the upstream's health."""


class UpstreamClient:
    """One API of OpenAI's shape behind, from the outside in: bulkhead, retry, circuit breaker, timeout per attempt.

    Every call raises ``UpstreamUnavailable``, ``UpstreamTimeout`` or ``UpstreamRefused``. It is repeated only when the
    upstream did not process it: it was never sent, or was refused with 429 or 503. Requests and answers are plain
    JSON objects: building the SDK's typed objects would cost more than the rest of a call.
    """

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        self.name = options.provider.name
        self.settings = options.provider
        self._vectors = VectorReader(self.name)
        self._sdk = _sdk(options)
        self._budget = RetryBudget()
        self._in_flight = 0
        self.breaker = GatedBreaker(
            f"llm-{self.name}",
            fail_max=options.fail_max,
            reset_seconds=options.reset_seconds,
            counts=lambda error: isinstance(error, AttemptFailed) and error.counts,
        )

    async def complete(self, body: dict[str, Any]) -> Json:
        """Return the complete answer to ``body``, byte for byte as the upstream wrote it."""
        with self._slot():
            return await self._call(lambda: self._complete(self._addressed(body)))

    async def stream(self, body: dict[str, Any]) -> UpstreamChunkStream:
        """Return once the first chunk has arrived; usage is always asked for, because the ledger needs it."""
        streaming = {**self._addressed(body), "stream": True, "stream_options": {"include_usage": True}}
        with ExitStack() as stack:
            stack.enter_context(self._slot())
            stream = await self._call(lambda: self._open(streaming))
            stream.on_close = stack.pop_all().close
            return stream

    async def embed(self, texts: Sequence[str], model: str, dimensions: int | None) -> tuple[Floats, int | None]:
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
        stream = UpstreamChunkStream(reply, seconds=self._seconds, error_of=self._error_of)
        try:
            await stream.begin()
        except BaseException:
            await stream.aclose()
            raise
        return stream

    def _error_of(self, error: Exception) -> UpstreamError:
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
        self._budget.earn()
        for number in range(1, self._options.attempts + 1):
            try:
                return await self._guarded(attempt)
            except AttemptFailed as failed:
                wait = backoff_seconds(number) if failed.wait_seconds is None else failed.wait_seconds
                if number == self._options.attempts or not self._may_repeat(failed, wait):
                    raise failed.error from failed.__cause__
                RETRIES.inc()
                await asyncio.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _may_repeat(self, failed: AttemptFailed, wait: float) -> bool:
        return failed.repeatable and wait < self._seconds() / 2 and self._budget.spend()

    def _seconds(self) -> float:
        # A share of the caller's time is kept for the extractive fallback.
        left = remaining_seconds()
        return min(self._options.timeout_seconds, float("inf") if left is None else left * _FALLBACK_SHARE)

    async def _guarded(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self.breaker.guard(lambda: self.timed(attempt))
        except BreakerOpen as refused:
            wait = refused.retry_after_seconds
            error = UpstreamUnavailable(reason="circuit breaker open", retry_after_seconds=wait)
            raise AttemptFailed(error) from refused
        except _CallerLeft as gone:
            raise asyncio.CancelledError from gone

    async def timed(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Await ``attempt`` within the timeout; raises ``AttemptFailed`` for whatever goes wrong."""
        seconds = self._seconds()
        try:
            async with asyncio.timeout(seconds):
                return await attempt()
        except asyncio.CancelledError as error:
            # The breaker counts a cancellation as a failure, and a client that hangs up is none.
            raise _CallerLeft from error
        except TimeoutError as error:
            # Callers with short deadlines must not open the breaker for everyone.
            fair = seconds >= min(_FAIR_SECONDS, self._options.timeout_seconds)
            raise AttemptFailed(UpstreamTimeout(seconds=round(seconds, 3)).processed(), counts=fair) from error
        except UpstreamError as error:
            # The upstream answered, but not what was asked for: a matter of configuration, not of its health.
            raise AttemptFailed(error.processed(), counts=False) from error
        except ATTEMPT_ERRORS as error:
            raise failure_of(error, self._options.api_key) from error


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
