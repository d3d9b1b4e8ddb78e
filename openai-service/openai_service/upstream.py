"""Any API of OpenAI's shape, through the official SDK."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, AsyncStream, OpenAIError, omit
from openai.types.chat import ChatCompletionChunk

from castor_chassis import ServiceError
from castor_chassis.breaker import BreakerOpen, GatedBreaker
from castor_chassis.context import remaining_seconds
from castor_chassis.http import httpx, new_client, provably_unsent
from castor_chassis.retry import RetryBudget, backoff_seconds, retry_after_seconds
from openai_service.errors import UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from openai_service.extractive import Floats
from openai_service.metrics import RETRIES
from openai_service.providers import Chunk, ChunkStream
from openai_service.schemas import ChatCompletion, ChatRequest

T = TypeVar("T")
OPENAI_URL = "https://api.openai.com/v1"
_FALLBACK_SHARE = 0.9
_FAIR_SECONDS = 5.0
_KEY = re.compile(r"\b(?:sk|pk|gsk|xai)-[A-Za-z0-9*_-]{4,}|\bBearer\s+\S+")
_REPEATABLE = (429, 503)
_TEMPORARY = (408, 429)


@dataclass(frozen=True, slots=True)
class UpstreamOptions:
    """How the upstream is reached and how much is borne; see ``OpenAISettings`` for the meaning of each."""

    base_url: str
    api_key: str | None
    timeout_seconds: float = 60
    attempts: int = 2
    max_in_flight: int = 64
    fail_max: int = 5
    reset_seconds: float = 60


class _Failed(Exception):
    """One attempt went wrong; says whether another may help and when."""

    def __init__(
        self, error: ServiceError, *, repeatable: bool = False, wait_seconds: float | None = None, counts: bool = True
    ) -> None:
        super().__init__(error.code)
        self.error = error
        self.repeatable = repeatable
        self.wait_seconds = wait_seconds
        self.counts = counts


class _Abandoned(Exception):
    """Our caller went away; it says nothing about the upstream."""


class OpenAICompatible:
    """Any API of OpenAI's shape: bulkhead, retry, breaker, timeout, from the outside in.

    Raises ``UpstreamUnavailable``, ``UpstreamTimeout`` or ``UpstreamRefused``. A call is repeated only when the
    upstream did not process it: it was never sent, or was refused with 429 or 503.
    """

    name = "openai"

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        http_client = new_client(options.base_url, context=None, connections=options.max_in_flight)
        # Timeouts are ours alone: the SDK would report a broken connection as one.
        self._sdk = AsyncOpenAI(
            api_key=options.api_key or "none",
            base_url=options.base_url,
            max_retries=0,
            timeout=None,
            http_client=http_client,
        )
        self._budget = RetryBudget()
        self._in_flight = 0
        self.breaker = GatedBreaker(
            "llm-upstream",
            fail_max=options.fail_max,
            reset_seconds=options.reset_seconds,
            counts=lambda error: isinstance(error, _Failed) and error.counts,
        )

    async def complete(self, request: ChatRequest, model: str) -> ChatCompletion:
        """See ``ChatProvider``."""
        body = request.for_upstream(model)
        with self._slot():
            return await self._call(lambda: self._complete(body))

    async def stream(self, request: ChatRequest, model: str) -> ChunkStream:
        """See ``ChatProvider``; usage is always asked for, the ledger needs it."""
        body = {**request.for_upstream(model), "stream": True, "stream_options": {"include_usage": True}}
        with ExitStack() as stack:
            stack.enter_context(self._slot())
            sdk_stream, first = await self._call(lambda: self._open(body))
            return _UpstreamStream(sdk_stream, first, self, stack.pop_all())

    async def embed(self, texts: Sequence[str], model: str, dimensions: int | None) -> tuple[Floats, int]:
        """Return one row per text, in order, and the tokens used."""
        with self._slot():
            return await self._call(lambda: self._embed(list(texts), model, dimensions))

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        await self._sdk.close()

    async def _complete(self, body: dict[str, Any]) -> ChatCompletion:
        reply = await self._sdk.chat.completions.create(**body)
        return ChatCompletion.model_validate(_plain(reply))

    async def _open(self, body: dict[str, Any]) -> tuple[AsyncStream[ChatCompletionChunk], Chunk]:
        sdk_stream = await self._sdk.chat.completions.create(**body)
        try:
            return sdk_stream, _plain(await anext(sdk_stream))
        except StopAsyncIteration as error:
            raise ValueError("an empty stream") from error
        except BaseException:
            await sdk_stream.close()
            raise

    async def _embed(self, texts: list[str], model: str, dimensions: int | None) -> tuple[Floats, int]:
        reply = await self._sdk.embeddings.create(
            input=texts, model=model, encoding_format="float", dimensions=omit if dimensions is None else dimensions
        )
        ordered = sorted(reply.data, key=lambda item: item.index)
        rows = np.array([item.embedding for item in ordered], dtype=np.float32)
        if [item.index for item in ordered] != list(range(len(texts))) or rows.ndim != 2:
            raise ValueError("not one vector per text")
        if dimensions is not None and rows.shape[1] != dimensions:
            raise ValueError("vectors of another length than asked for")
        return rows, reply.usage.prompt_tokens if reply.usage else 0

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
            raise _Failed(UpstreamTimeout(seconds=round(seconds, 3)), counts=fair) from error
        except (OpenAIError, httpx.HTTPError, OSError, ValueError, TypeError, AttributeError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> _Failed:
        if isinstance(error, APIStatusError):
            return self._status_failure(error)
        if isinstance(error, APIConnectionError | httpx.HTTPError | OSError):
            cause = error.__cause__
            unsent = isinstance(cause, httpx.TransportError) and provably_unsent(cause)
            lost = UpstreamUnavailable(reason="the connection failed", retry_after_seconds=1)
            return _Failed(lost, repeatable=unsent)
        unclear = UpstreamUnavailable(reason="its answer is not of the OpenAI shape", retry_after_seconds=1)
        return _Failed(unclear)

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


class _UpstreamStream:
    """Chunks of the upstream; a stream that ends without a finish reason was cut and raises."""

    def __init__(
        self,
        stream: AsyncStream[ChatCompletionChunk],
        first: Chunk,
        upstream: OpenAICompatible,
        held: ExitStack,
    ) -> None:
        self._stream = stream
        self._first = first
        self._upstream = upstream
        self._held = held

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        chunk: Chunk | None = self._first
        finished = False
        while chunk is not None:
            finished = finished or any(choice.get("finish_reason") for choice in chunk.get("choices") or ())
            yield chunk
            chunk = await self._next()
        if not finished:
            raise UpstreamUnavailable(reason="its stream was cut", retry_after_seconds=1)

    async def _next(self) -> Chunk | None:
        async def take() -> Chunk | None:
            chunk = await anext(self._stream, None)
            return None if chunk is None else _plain(chunk)

        try:
            return await self._upstream.timed(take)
        except _Failed as failed:
            raise failed.error from failed.__cause__
        except _Abandoned as gone:
            raise asyncio.CancelledError from gone

    async def aclose(self) -> None:
        """Hang up on the upstream, which stops it."""
        try:
            await self._stream.close()
        finally:
            self._held.close()


def _plain(reply: Any) -> dict[str, Any]:
    """Return what the upstream sent, as JSON values; raises ``ValueError`` when the SDK got no object."""
    if not hasattr(reply, "to_dict"):
        raise ValueError("not an object")
    return cast(dict[str, Any], reply.to_dict(mode="json"))
