"""A loopback server of OpenAI's protocol whose faults are scripted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

WORDS = ("Una ", "respuesta ", "del ", "modelo.")
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
DIMENSIONS = 8


@dataclass(frozen=True)
class Fault:
    """What one request meets: an error status, or a misbehaviour by name.

    ``hang up``, ``malformed``, ``html``, ``wrong shape``, ``slow`` (before the first byte),
    ``slow first token`` (1.2 s), ``slow status`` (after 1.2 s), ``cut`` (after two chunks),
    ``stall`` (without end, after two chunks), ``broken chunk``; of embeddings ``longer vectors`` and ``uncounted``.
    """

    kind: str = "status"
    status: int = 500
    message: str = "the fake failed"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeOpenAI:
    """Answers chat completions and embeddings; ``script`` is played first, one entry a request."""

    script: list[Fault] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    api_keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    """Messages that the next answers carry, each once; for what a model would write."""
    usage: dict[str, int] = field(default_factory=lambda: dict(USAGE))
    """What answers of chat count."""
    most_inputs: int = 2048
    """More texts at once are refused."""
    refuses: Callable[[dict[str, Any]], web.Response | None] = lambda _body: None
    """Returns the refusal of a body that the provider in question would refuse."""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def reset(self) -> None:
        """Forget the requests seen and the script."""
        for seen in (self.script, self.bodies, self.keys, self.api_keys, self.paths, self.replies):
            seen.clear()
        self.hung_up.clear()
        self.usage, self.most_inputs = dict(USAGE), 2048
        self.refuses = lambda _body: None

    async def was_asked(self) -> bool:
        """Return whether a request has arrived."""
        return bool(self.bodies)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[FakeOpenAI]:
        """Serve on a free port until the block ends."""
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embeddings)
        # Azure names the deployment in the path and the version in the query.
        app.router.add_post("/openai/deployments/{deployment}/chat/completions", self._chat)
        app.router.add_post("/openai/deployments/{deployment}/embeddings", self._embeddings)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _begin(self, request: web.Request) -> tuple[dict[str, Any], Fault]:
        body = await request.json()
        self.bodies.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        self.api_keys.append(request.headers.get("api-key", ""))
        self.paths.append(request.path_qs)
        fault = self.script.pop(0) if self.script else Fault("none")
        if fault.kind == "slow":
            await self._wait(60)
        if fault.kind in ("slow first token", "slow status"):
            await self._wait(1.2)
        if fault.kind == "hang up":
            assert request.transport is not None
            request.transport.close()
        return body, fault

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.hung_up.set()
            raise

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body, fault = await self._begin(request)
        if (refusal := self.refuses(body)) is not None:
            return refusal
        if fault.kind in ("status", "slow status"):
            return _refusal(fault)
        if fault.kind == "malformed":
            return web.Response(text='{"id": "chatcmpl-1", "choices": [', content_type="application/json")
        if fault.kind == "html":
            return web.Response(text="<h1>Welcome to nginx</h1>", content_type="text/html")
        if fault.kind == "wrong shape":
            return web.json_response({"result": "fine"})
        if body.get("stream"):
            return await self._stream(request, body, fault)
        said = self.replies.pop(0) if self.replies else {"content": "".join(WORDS)}
        reason = said.pop("finish_reason", "stop")
        message = {"role": "assistant", "refusal": None, **said}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return web.json_response({**_head("chat.completion", body), "choices": [choice], "usage": self.usage})

    async def _stream(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        reply = self.replies.pop(0) if self.replies else {}
        if thoughts := reply.get("reasoning_content"):
            await response.write(_event(body, {"role": "assistant", "reasoning_content": thoughts}, None))
        said = reply.get("content")
        for number, word in enumerate(WORDS if said is None else [said[i : i + 3] for i in range(0, len(said), 3)]):
            if number == 2 and fault.kind == "broken chunk":
                await response.write(b'data: {"id": \n\n')
            if number == 2 and fault.kind == "stall":
                await self._wait(60)
            if number == 2 and fault.kind == "cut":
                return response
            await response.write(_event(body, {"role": "assistant", "content": word}, None))
        await response.write(_event(body, {}, "stop"))
        if body.get("stream_options", {}).get("include_usage"):
            last = {**_head("chat.completion.chunk", body), "choices": [], "usage": self.usage}
            await response.write(b"data: " + json.dumps(last).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _embeddings(self, request: web.Request) -> web.StreamResponse:
        body, fault = await self._begin(request)
        if fault.kind == "status":
            return _refusal(fault)
        if fault.kind == "html":
            return web.Response(text="<h1>Welcome to nginx</h1>", content_type="text/html")
        if len(body["input"]) > self.most_inputs:
            return _refusal(Fault(status=400, message=f"at most {self.most_inputs} inputs"))
        size = body.get("dimensions", DIMENSIONS)
        if fault.kind == "longer vectors":
            size += 1
        rows = [
            {"object": "embedding", "index": index, "embedding": vector(text, size)}
            for index, text in enumerate(body["input"])
        ]
        if fault.kind == "wrong shape":
            rows = rows[:-1]
        if fault.kind == "uncounted":
            return web.json_response({"object": "list", "data": rows, "model": body["model"]})
        usage = {"prompt_tokens": 7 * len(rows), "total_tokens": 7 * len(rows)}
        # Providers need not answer in order; the index tells.
        return web.json_response({"object": "list", "data": rows[::-1], "model": body["model"], "usage": usage})


def vector(text: str | list[int], size: int = DIMENSIONS) -> list[float]:
    """Return the fake's vector of a text, or of the numbers of its tokens."""
    digest = hashlib.sha256((text if isinstance(text, str) else json.dumps(text)).encode()).digest()
    return [struct.unpack("<h", digest[i : i + 2])[0] / 32768 for i in range(0, 2 * size, 2)]


def _head(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 1_790_000_000, "model": body["model"]}


def _event(body: dict[str, Any], delta: dict[str, Any], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({**_head("chat.completion.chunk", body), "choices": [choice]}).encode() + b"\n\n"


def _refusal(fault: Fault) -> web.Response:
    body = {"error": {"message": fault.message, "type": "fake_error", "code": "fake"}}
    return web.json_response(body, status=fault.status, headers=fault.headers)
