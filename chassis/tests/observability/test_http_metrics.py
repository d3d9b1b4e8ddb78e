"""Every request is counted once, under its route's template and the status that its caller saw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from prometheus_client import REGISTRY
from prometheus_fastapi_instrumentator import routing
from starlette.responses import StreamingResponse

from castor_chassis import Overloaded, create_service, public
from castor_chassis.testing import TokenIssuer
from castor_chassis.tls import PeerIdentity
from small_service import Running
from small_service.app import SmallSettings

SLOW = "/v1/small/slow"


def sample(kind: str, method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value(f"castor_http_request_duration_seconds_{kind}", labels) or 0.0


@asynccontextmanager
async def growth(method: str, route: str, *statuses: str) -> AsyncIterator[dict[str, float]]:
    """Give a dictionary that holds, after the block, how many requests it added by status."""
    before = {status: sample("count", method, route, status) for status in statuses}
    grown: dict[str, float] = {}
    yield grown
    grown.update({status: sample("count", method, route, status) - before[status] for status in statuses})


async def test_refusals_of_the_chassis_are_counted(running: Running) -> None:
    """What is refused for overload never reaches the router and has no route; what is out of time has one."""
    async with growth("GET", SLOW, "200", "504") as reached, growth("GET", "unmatched", "429") as refused:
        async with running(max_concurrent_requests=1) as service:
            answers = await asyncio.gather(*(service.client.get(f"{SLOW}?seconds=2") for _ in range(3)))
            late = await service.client.get(f"{SLOW}?seconds=5", headers={"X-Request-Timeout-Ms": "50"})
    assert (sorted(answer.status_code for answer in answers), late.status_code) == ([200, 429, 429], 504)
    assert (reached, refused) == ({"200": 1, "504": 1}, {"429": 2})


async def test_a_post_that_is_not_read_counts_under_its_route(running: Running) -> None:
    """What is refused by its announced length never reaches the router either, but its route is known."""

    def refuse(_announced: int) -> None:
        raise Overloaded(limit=0, retry_after_seconds=7)

    path = "/v1/small/echo/refused"
    async with growth("POST", path, "429") as refused, running() as service:
        service.app.state.chassis.admissions[path] = refuse
        assert (await service.client.post(path, json={})).status_code == 429
    assert refused == {"429": 1}


async def test_the_route_is_searched_for_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The instrumentator takes the route that the router found; its own search grows with the number of routes."""

    def search(*_: Any, **__: Any) -> str:
        raise AssertionError("the route was searched for a second time")

    monkeypatch.setattr(routing, "get_route_name", search)
    async with growth("GET", SLOW, "200") as grown, running() as service:
        assert (await service.client.get(f"{SLOW}?seconds=0")).status_code == 200
    assert grown == {"200": 1}


async def test_failures_count_with_their_exact_status(running: Running) -> None:
    """A route that raises is a 500; a path that no route knows is a 404 of no route."""
    async with (
        growth("GET", "/v1/small/broken", "500", "5xx") as broken,
        growth("GET", "unmatched", "404") as unmatched,
    ):
        async with running() as service:
            assert (await service.client.get("/v1/small/broken")).status_code == 500
            assert (await service.client.get("/v1/small/none")).status_code == 404
    assert (broken, unmatched) == ({"500": 1, "5xx": 0}, {"404": 1})


async def test_odd_methods_are_one_label(running: Running) -> None:
    """A caller cannot make labels by inventing methods."""
    async with growth("OTHER", SLOW, "405") as grown, running() as service:
        assert (await service.client.request("PROPFIND", SLOW)).status_code == 405
        assert (await service.client.request("MKCOL", SLOW)).status_code == 405
    assert grown == {"405": 2}


def _streaming_app(more: asyncio.Event) -> FastAPI:
    router = APIRouter(prefix="/v1/streaming", dependencies=[Depends(public("a test"))])

    @router.get("/chunks")
    async def chunks() -> Any:
        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await more.wait()
            yield b"second"

        return StreamingResponse(body())

    @router.get("/never")
    async def never() -> None:
        await asyncio.Event().wait()

    @asynccontextmanager
    async def start(_chassis: Any) -> AsyncIterator[None]:
        yield

    return create_service(
        SmallSettings(), package="small_service", version="1", summary="Streams.", routers=[router], start=start,
        keys=TokenIssuer(),
    )  # fmt: skip


def _scope(path: str) -> dict[str, Any]:
    peer = PeerIdentity("spiffe://castor/twitter-service", time.time() + 60, "thumb")
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "state": {"tls_peer": peer},
    }  # fmt: skip


async def _receive() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("unreachable: the client neither sends a body nor leaves")


async def test_a_stream_is_passed_on_piece_by_piece_and_timed_to_its_end() -> None:
    """No piece waits for the next one, and the duration includes all of them."""
    more = asyncio.Event()
    sent: list[bytes] = []
    first = asyncio.Event()

    async def send(message: Any) -> None:
        if message.get("body"):
            sent.append(message["body"])
            first.set()

    before = sample("sum", "GET", "/v1/streaming/chunks", "200")
    waiting = asyncio.ensure_future(_streaming_app(more)(_scope("/v1/streaming/chunks"), _receive, send))
    await asyncio.wait_for(first.wait(), 30)
    assert sent == [b"first"]
    await asyncio.sleep(0.2)
    more.set()
    await waiting
    assert sent == [b"first", b"second"]
    assert sample("sum", "GET", "/v1/streaming/chunks", "200") - before >= 0.2


async def test_a_request_without_an_answer_is_no_failure_of_ours() -> None:
    """When the server stops or the client goes away before there is an answer, it counts as 499, not as a 500."""

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async with growth("GET", "/v1/streaming/never", "499", "500") as grown:
        waiting = asyncio.ensure_future(_streaming_app(asyncio.Event())(_scope("/v1/streaming/never"), _receive, send))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert grown == {"499": 1, "500": 0}
