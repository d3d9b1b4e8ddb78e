"""The fast path: answers like the route's, and never for anything but plain requests of services."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends

from auth_service.fast_path.answers import FastPath
from auth_service.fast_path.protocol import fast_path_protocol
from castor_chassis import Chassis, RequestModel, ServiceSettings, create_service, public
from castor_chassis.testing import Authority, TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles

KNOWN = b'{"word":"known"}'


class Word(RequestModel):
    """The request."""

    word: str


class EchoSettings(ServiceSettings):
    """Settings of the service under test."""

    service_name = "echo-service"


def _app(settings: ServiceSettings) -> Any:
    fast_path = FastPath(traced_share=0.0)
    router = APIRouter(prefix="/v1/echo")

    @router.post("/word", dependencies=[Depends(public("a test"))])
    async def word(body: Word) -> dict[str, str]:
        return {"way": "route", "word": body.word}

    @asynccontextmanager
    async def start(_chassis: Chassis) -> AsyncIterator[None]:
        fast_path.add("/v1/echo/word", lambda body: b'{"way":"memory"}' if body == KNOWN else None)
        yield

    return create_service(
        settings, package="castor_chassis", version="1", summary="Echo.", routers=[router], start=start,
        keys=TokenIssuer(), http_protocol=partial(fast_path_protocol, fast_path),
    )  # fmt: skip


@asynccontextmanager
async def talking(authority: Authority, folder: Path, caller: str = "twitter-service", **given: Any) -> Any:
    """Give a function that sends raw bytes and returns the answers."""
    settings = EchoSettings(**tls_settings(authority.write(folder, "echo-service")), **given)
    files: TlsFiles = authority.write(folder / "caller", caller)
    context: ssl.SSLContext = files.client_context()
    async with run_service(_app(settings), settings, client_files=files) as service:

        async def say(*pieces: bytes, answers: int = 1) -> list[bytes]:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", service.pair.api.port, ssl=context, server_hostname="localhost"
            )
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.02)
            found = [await _answer(reader) for _ in range(answers)]
            writer.close()
            return found

        yield say, service


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


def post(
    body: bytes = KNOWN, *headers: bytes, path: bytes = b"/v1/echo/word", kind: bytes = b"application/json"
) -> bytes:
    """Return a request."""
    lines = [b"POST " + path + b" HTTP/1.1", b"host: x", b"content-type: " + kind, *headers]
    if b"transfer-encoding: chunked" not in headers:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def test_known_body_is_answered_at_once_with_the_usual_headers(authority: Authority, tmp_path: Path) -> None:
    """The request id is kept or minted, the type is JSON, and the connection goes on."""
    async with talking(authority, tmp_path) as (say, _):
        first, second = await say(post(KNOWN, b"x-request-id: abcdefgh-1"), post(), answers=2)
        assert first.endswith(b'{"way":"memory"}')
        assert b"x-request-id: abcdefgh-1\r\n" in first
        assert b"content-type: application/json\r\n" in first
        assert b"x-content-type-options: nosniff\r\n" in first
        assert b"x-request-id: " in second
        (evil,) = await say(post(KNOWN, b"x-request-id: short"))
        assert b"x-request-id: short\r\n" not in evil


async def test_a_body_in_pieces_is_put_together(authority: Authority, tmp_path: Path) -> None:
    """Wherever the network cuts a request, the answer is the same."""
    request = post()
    async with talking(authority, tmp_path) as (say, _):
        for cut in (5, 40, len(request) - 3):
            (answer,) = await say(request[:cut], request[cut:])
            assert answer.endswith(b'{"way":"memory"}')


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(b'{"word": "known"}'),
        post(KNOWN + b" "),
        post(KNOWN, b"x-something-else: 1"),
        post(KNOWN, b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        post(b"10\r\n" + KNOWN + b"\r\n0\r\n\r\n", b"transfer-encoding: chunked"),
    ],
    ids=["unknown", "other bytes", "other header", "sampled", "chunked"],
)
async def test_everything_else_takes_the_usual_way(authority: Authority, tmp_path: Path, request_bytes: bytes) -> None:
    """Nothing is lost or refused by having been looked at first."""
    async with talking(authority, tmp_path) as (say, _):
        (answer,) = await say(request_bytes)
        assert answer.endswith(b'{"way":"route","word":"known"}')


async def test_refusals_come_from_the_usual_way(authority: Authority, tmp_path: Path) -> None:
    """A wrong body, a body too large, another method and a wrong type are answered as ever."""
    async with talking(authority, tmp_path, max_body_bytes=30_000) as (say, _):
        for request, status in (
            (post(b"{}"), b"422"),
            (post(b'{"word":"' + b"x" * 40_000 + b'"}'), b"413"),
            (post(b'{"word":"' + b"x" * 20_000 + b'"}'), b"200"),
            (post(path=b"/v1/echo/none"), b"404"),
            (post().replace(b"POST", b"PUT", 1), b"405"),
        ):
            (answer,) = await say(request)
            assert answer.split(b" ", 2)[1] == status, answer[:200]


async def test_strangers_and_a_draining_service_take_the_usual_way(authority: Authority, tmp_path: Path) -> None:
    """Only the certificate of a service is answered at once, and nobody while the service drains."""
    async with talking(authority, tmp_path, caller="ingress") as (say, _):
        assert (await say(post()))[0].endswith(b'{"way":"route","word":"known"}')
    async with talking(authority, tmp_path / "drain") as (say, service):
        service.pair.chassis.health.draining = True
        (answer,) = await say(post())
        assert answer.endswith(b'{"way":"route","word":"known"}')
        assert b"connection: close" in answer


async def test_pipelined_requests_are_answered_in_order(authority: Authority, tmp_path: Path) -> None:
    """Answers from memory and from the route may be mixed on one connection."""
    mixed = post() + post(b'{"word":"slow"}') + post() + post(b'{"word":"again"}')
    async with talking(authority, tmp_path) as (say, _):
        answers = await say(mixed, answers=4)
        ways = [answer.partition(b"\r\n\r\n")[2] for answer in answers]
        assert ways[0] == b'{"way":"memory"}'
        assert ways[1] == b'{"way":"route","word":"slow"}'
        assert ways[2] in (b'{"way":"memory"}', b'{"way":"route","word":"known"}')
        assert ways[3] == b'{"way":"route","word":"again"}'
