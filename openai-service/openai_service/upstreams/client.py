"""One API of OpenAI's shape, through the official SDK."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from openai import APIConnectionError, APIStatusError, AsyncAzureOpenAI, AsyncOpenAI, AsyncStream, OpenAIError

from castor_chassis.client.breaker import BreakerOpen, GatedBreaker
from castor_chassis.client.retry import RetryBudget, backoff_seconds, retry_after_seconds
from castor_chassis.client.transport import httpx, new_client, provably_unsent
from castor_chassis.context import remaining_seconds
from openai_service.errors import UpstreamError, UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from openai_service.extractive.provider import ChunkStream, Json
from openai_service.extractive.ranker import Floats
from openai_service.metrics import RETRIES
from openai_service.protocol.chat import ChatCompletion
from openai_service.protocol.sse import DONE, events
from openai_service.settings import ProviderSettings
from openai_service.upstreams.embedding_reply import VectorReader

T = TypeVar("T")
OPENAI_URL = "https://api.openai.com/v1"
_FALLBACK_SHARE = 0.9
_FAIR_SECONDS = 5.0
_KEY = re.compile(r"\b(?:sk|pk|gsk|xai)-[A-Za-z0-9*_-]{4,}|\bBearer\s+\S+")
_REPEATABLE = (429, 503)
_TEMPORARY = (408, 429)
_CHAT = "/chat/completions"
_EMBEDDINGS = "/embeddings"


@dataclass(frozen=True, slots=True)
class UpstreamOptions:
    """How an upstream is reached and how much is borne; see ``OpenAISettings`` for the meaning of each."""

    provider: ProviderSettings
    api_key: str | None
    timeout_seconds: float = 60
    attempts: int = 2
    max_in_flight: int = 64
    fail_max: int = 5
    reset_seconds: float = 60


class _Failed(Exception):
    """One attempt went wrong; says whether another may help and when."""

    def __init__(
        self, error: UpstreamError, *, repeatable: bool = False, wait_seconds: float | None = None, counts: bool = True
    ) -> None:
        super().__init__(error.code)
        self.error = error
        self.repeatable = repeatable
        self.wait_seconds = wait_seconds
        self.counts = counts


class _Abandoned(Exception):
    """Our caller went away; it says nothing about the upstream."""


class OpenAICompatible:
    """One API of OpenAI's shape: bulkhead, retry, breaker, timeout, from the outside in.

    Raises ``UpstreamUnavailable``, ``UpstreamTimeout`` or ``UpstreamRefused``. A call is repeated only when the
    upstream did not process it: it was never sent, or was refused with 429 or 503. What is sent and what is
    answered stays as it is on the wire: the SDK's typed objects would cost more than all the rest of a call.
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
            counts=lambda error: isinstance(error, _Failed) and error.counts,
        )

    async def complete(self, body: dict[str, Any]) -> Json:
        """Return the whole answer to ``body``, as the upstream wrote it."""
        with self._slot():
            return await self._call(lambda: self._complete(self._addressed(body)))

    async def stream(self, body: dict[str, Any]) -> ChunkStream:
        """Return once the first chunk is here; usage is always asked for, the ledger needs it."""
        streaming = {**self._addressed(body), "stream": True, "stream_options": {"include_usage": True}}
        with ExitStack() as stack:
            stack.enter_context(self._slot())
            chunks, first = await self._call(lambda: self._open(streaming))
            return _UpstreamStream(chunks, first, self, stack.pop_all())

    async def embed(self, texts: Sequence[str], model: str, dimensions: int | None) -> tuple[Floats, int | None]:
        """Return one row per text, in order, and the tokens used; None where it does not say."""
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

    async def _open(self, body: dict[str, Any]) -> tuple[_Chunks, Json]:
        chunks = _Chunks(
            await self._sdk.post(_CHAT, cast_to=object, body=body, stream=True, stream_cls=AsyncStream[Any])
        )
        try:
            first = await chunks.take()
            if first is None:
                raise ValueError("an empty stream")
        except BaseException:
            await chunks.close()
            raise
        return chunks, first

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
            except _Failed as failed:
                wait = backoff_seconds(number) if failed.wait_seconds is None else failed.wait_seconds
                if number == self._options.attempts or not self._may_repeat(failed, wait):
                    raise failed.error from failed.__cause__
                RETRIES.inc()
                await asyncio.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _may_repeat(self, failed: _Failed, wait: float) -> bool:
        return failed.repeatable and wait < self._seconds() / 2 and self._budget.spend()

    def _seconds(self) -> float:
        # A share of the caller's time is kept back, so that there is still time to answer by quoting.
        left = remaining_seconds()
        return min(self._options.timeout_seconds, float("inf") if left is None else left * _FALLBACK_SHARE)

    async def _guarded(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self.breaker.guard(lambda: self.timed(attempt))
        except BreakerOpen as refused:
            wait = refused.retry_after_seconds
            error = UpstreamUnavailable(reason="circuit breaker open", retry_after_seconds=wait)
            raise _Failed(error) from refused
        except _Abandoned as gone:
            raise asyncio.CancelledError from gone

    async def timed(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Await ``attempt`` within the timeout and name what goes wrong."""
        seconds = self._seconds()
        try:
            async with asyncio.timeout(seconds):
                return await attempt()
        except asyncio.CancelledError as error:
            # The breaker counts cancellations as failures; a user who hangs up is none.
            raise _Abandoned from error
        except TimeoutError as error:
            # Callers in a hurry must not open the breaker for everyone.
            fair = seconds >= min(_FAIR_SECONDS, self._options.timeout_seconds)
            raise _Failed(UpstreamTimeout(seconds=round(seconds, 3)).processed(), counts=fair) from error
        except UpstreamError as error:
            # It answered, only not what was asked: that is a matter of configuration, not of its health.
            raise _Failed(error.processed(), counts=False) from error
        except (OpenAIError, httpx.HTTPError, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> _Failed:
        if isinstance(error, APIStatusError):
            return self._status_failure(error)
        if isinstance(error, APIConnectionError | httpx.HTTPError | OSError):
            cause = error.__cause__
            unsent = isinstance(cause, httpx.TransportError) and provably_unsent(cause)
            lost = UpstreamUnavailable(reason="the connection failed", retry_after_seconds=1)
            return _Failed(lost if unsent else lost.processed(), repeatable=unsent)
        unclear = UpstreamUnavailable(reason="its answer is not of the OpenAI shape", retry_after_seconds=1)
        return _Failed(unclear.processed())

    def _status_failure(self, error: APIStatusError) -> _Failed:
        status = error.status_code
        if status < 500 and status not in _TEMPORARY:
            refused = UpstreamRefused(upstream_status=status, reason=self._redacted(error))
            return _Failed(refused, counts=False)
        wait = retry_after_seconds(error.response.headers.get("retry-after"))
        failure = UpstreamUnavailable(reason=f"it answered {status}", retry_after_seconds=wait or 1)
        return _Failed(failure, repeatable=status in _REPEATABLE, wait_seconds=wait)

    def _redacted(self, error: APIStatusError) -> str:
        # Upstreams repeat the key in their refusals, some of them whole.
        body = error.body
        text = str(body.get("message") or body) if isinstance(body, dict) else str(body or "no reason given")
        if self._options.api_key:
            text = text.replace(self._options.api_key, "[redacted]")
        return _KEY.sub("[redacted]", text)[:300]


class _Chunks:
    """The chunks of one open stream, parsed no further than their JSON."""

    def __init__(self, stream: AsyncStream[Any]) -> None:
        self._stream = stream
        self._events = events(stream.response.aiter_bytes())

    async def take(self) -> Json | None:
        """Return the next chunk, None after the last; raises ``ValueError`` or ``APIStatusError`` for what is none."""
        raw = await anext(self._events, DONE)
        if raw == DONE:
            return None
        value = orjson.loads(raw)
        if not isinstance(value, dict) or "choices" not in value:
            raise ValueError("an event that is no chunk")
        return Json(value, raw)

    async def close(self) -> None:
        """Hang up."""
        await self._stream.close()


class _UpstreamStream:
    """Chunks of the upstream; a stream that ends without a finish reason was cut and raises."""

    def __init__(self, chunks: _Chunks, first: Json, upstream: OpenAICompatible, held: ExitStack) -> None:
        self._chunks = chunks
        self._first = first
        self._upstream = upstream
        self._held = held

    async def __aiter__(self) -> AsyncIterator[Json]:
        chunk: Json | None = self._first
        finished = False
        while chunk is not None:
            finished = finished or any(choice.get("finish_reason") for choice in chunk.value["choices"] or ())
            yield chunk
            chunk = await self._next()
        if not finished:
            raise UpstreamUnavailable(reason="its stream was cut", retry_after_seconds=1).processed()

    async def _next(self) -> Json | None:
        try:
            return await self._upstream.timed(self._chunks.take)
        except _Failed as failed:
            raise failed.error from failed.__cause__
        except _Abandoned as gone:
            raise asyncio.CancelledError from gone

    async def aclose(self) -> None:
        """Hang up on the upstream, which stops it."""
        try:
            await self._chunks.close()
        finally:
            self._held.close()


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
