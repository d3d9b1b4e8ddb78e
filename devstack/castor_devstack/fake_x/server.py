"""The HTTP side of the fake X: endpoints of API v2 with their limits, errors and faults."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from castor_devstack.fake_x.answers import Answers, BadRequest, problem
from castor_devstack.fake_x.corpus import Corpus
from castor_devstack.fake_x.faults import Fault, Faults
from castor_devstack.fake_x.limits import Limits
from castor_devstack.fake_x.query import QueryError
from castor_devstack.fake_x.stream import Stream

Page = dict[str, Any]
Make = Callable[[web.Request, Mapping[str, str]], Page]


class FakeX:
    """X API v2 on a loopback port; everything that a test wants to control or know is an attribute."""

    def __init__(self, corpus: Corpus, *, limits: Limits | None = None, latency_seconds: float = 0.0) -> None:
        self.corpus = corpus
        self.limits = limits or Limits()
        self.faults = Faults()
        self.answers = Answers(corpus)
        self.stream = Stream(corpus, self.answers.one)
        self.latency_seconds = latency_seconds
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.url = ""
        self._runner: web.AppRunner | None = None

    @property
    def billed(self) -> int:
        """Posts that were served, each once a UTC day: what X would bill."""
        return len(self.answers.served)

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=2048)
        await site.start()
        assert site._server is not None
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]

    async def stop(self) -> None:
        """Stop listening and cut whatever is open."""
        self.stream.disconnect()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _app(self) -> web.Application:
        app = web.Application()
        answers = self.answers
        gets: list[tuple[str, str, Make]] = [
            ("/2/tweets/search/recent", "search_recent", lambda _r, q: answers.search(q, archive=False)),
            ("/2/tweets/search/all", "search_all", lambda _r, q: answers.search(q, archive=True)),
            ("/2/tweets/counts/recent", "counts_recent", lambda _r, q: answers.counts(q, archive=False)),
            ("/2/tweets/counts/all", "counts_all", lambda _r, q: answers.counts(q, archive=True)),
            ("/2/tweets/search/stream/rules", "rules", lambda _r, _q: self._rules()),
            ("/2/tweets", "tweets", lambda _r, q: answers.tweets(q)),
            ("/2/users/by/username/{username}", "users_by", lambda r, q: answers.user(r.match_info["username"], q)),
            ("/2/users/{id}/tweets", "timeline", lambda r, q: answers.timeline(r.match_info["id"], q)),
        ]
        for path, endpoint, make in gets:
            app.router.add_get(path, self._answering(endpoint, make))
        app.router.add_get("/2/tweets/search/stream", self._connect)
        app.router.add_post("/2/tweets/search/stream/rules", self._change_rules)
        app.router.add_get("/_fake/statistics", self._statistics)
        app.router.add_post("/_fake/faults", self._add_faults)
        return app

    def _answering(self, endpoint: str, make: Make) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            refused, headers, fault = await self._admit(request, endpoint)
            if refused is not None:
                return refused
            try:
                page = make(request, request.query)
            except (BadRequest, QueryError) as error:
                return self._json(400, problem(400, "Invalid Request", str(error)), headers)
            if fault is not None and fault.kind in ("duplicate", "empty_page"):
                page = self.answers.spoiled(page, fault.kind)
            else:
                self.answers.bill(page)
            return self._json(200, page, headers)

        return handle

    async def _admit(
        self, request: web.Request, endpoint: str
    ) -> tuple[web.StreamResponse | None, dict[str, str], Fault | None]:
        """Count a request; return its answer if it is not to be served, its headers, and what else goes wrong."""
        self.requests[endpoint] += 1
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return self._json(401, problem(401, "Unauthorized", "Unauthorized"), {}), {}, None
        allowed, headers = self.limits.take(endpoint)
        if not allowed:
            return self._json(429, problem(429, "Too Many Requests", "Too Many Requests"), headers), headers, None
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        fault = self.faults.next(endpoint)
        answer = None if fault is None else await self._failure(request, endpoint, fault, headers)
        return answer, headers, fault

    async def _failure(
        self, request: web.Request, endpoint: str, fault: Fault, headers: dict[str, str]
    ) -> web.StreamResponse | None:
        if fault.kind == "429":
            blocked = self.limits.block(endpoint, fault.seconds)
            return self._json(429, problem(429, "Too Many Requests", "Too Many Requests"), blocked)
        if fault.kind in ("500", "503"):
            status = int(fault.kind)
            return self._json(status, problem(status, "Service Unavailable", "Service Unavailable"), headers)
        if fault.kind == "not_json":
            return web.Response(status=200, text="<html>over capacity</html>", content_type="text/html")
        if fault.kind == "cut":
            return await _cut(request)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        return None

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        refused, headers, _ = await self._admit(request, "stream")
        if refused is not None:
            return refused
        if self.stream.connected:
            detail = "This stream is currently at the maximum allowed connection limit."
            return self._json(429, problem(429, "ConnectionException", detail), headers)
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        async for line in self.stream.lines(request.query):
            await response.write(line)
        if request.transport is not None:
            request.transport.abort()
        return response

    def _rules(self) -> Page:
        return {"data": list(self.stream.rules.values()), "meta": {"sent": datetime.now(UTC).isoformat()}}

    async def _change_rules(self, request: web.Request) -> web.StreamResponse:
        refused, headers, _ = await self._admit(request, "rules_change")
        if refused is not None:
            return refused
        body = await request.json()
        try:
            added = [self.stream.add_rule(rule["value"], rule.get("tag")) for rule in body.get("add", [])]
        except QueryError as error:
            return self._json(400, problem(400, "Invalid Rule", str(error)), headers)
        removed = [self.stream.rules.pop(key, None) for key in body.get("delete", {}).get("ids", [])]
        summary = {"created": sum(new for _, new in added), "deleted": sum(rule is not None for rule in removed)}
        return self._json(201, {"data": [rule for rule, _ in added], "meta": {"summary": summary}}, headers)

    async def _statistics(self, _request: web.Request) -> web.Response:
        counted = {"requests": self.requests, "statuses": self.statuses, "refused": self.limits.refused}
        faults = {"happened": self.faults.happened, "waiting": len(self.faults.waiting)}
        return web.json_response({**counted, "faults": faults, "billed": self.billed, "posts": len(self.corpus.posts)})

    async def _add_faults(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.faults.plan([Fault(**fault) for fault in body["faults"]], every=int(body.get("every", 1)))
        return web.json_response({"waiting": len(self.faults.waiting)})

    def _json(self, status: int, body: Page, headers: Mapping[str, str]) -> web.Response:
        self.statuses[status] += 1
        return web.Response(
            status=status, body=json.dumps(body).encode(), content_type="application/json", headers=headers
        )


async def _cut(request: web.Request) -> web.StreamResponse:
    """Begin an answer and break the connection in the middle of it."""
    response = web.StreamResponse(headers={"content-type": "application/json", "content-length": "1000"})
    await response.prepare(request)
    await response.write(b'{"data": [')
    if request.transport is not None:
        request.transport.abort()
    return response
