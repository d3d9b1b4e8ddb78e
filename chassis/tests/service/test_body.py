"""Bodies that come slowly, written byte by byte to real TLS sockets: who sends them waits, nobody else does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from castor_chassis.testing import Authority, RunningService, TokenIssuer, until
from castor_chassis.tls import TlsFiles
from small_service import Running

PATH = "/v1/small/echo/a"


@asynccontextmanager
async def slow_senders(
    service: RunningService, files: TlsFiles, count: int, *, announced: int = 60, sent: bytes = b"{"
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Open ``count`` connections, each with a POST that announces a body and sends its beginning."""
    port = int(service.url.rsplit(":", 1)[1])
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n\r\n"
    async with AsyncExitStack() as stack:
        readers = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=files.client_context())
            stack.callback(writer.close)
            writer.write(head.encode() + sent)
            await writer.drain()
            readers.append(reader)
        await asyncio.sleep(0.2)
        yield readers


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, object]]:
    """Return status and JSON of the answer on a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split(" ")[1]), json.loads(await reader.readexactly(length))


async def test_bodies_that_do_not_come_take_no_place(
    running: Running, authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """More slow bodies than there are places leave the places to requests that are there."""
    ingress = authority.write(tmp_path / "ingress", "ingress")
    headers = {"Authorization": f"Bearer {issuer.user_token(('small:write',))}"}
    async with running(client=ingress, max_concurrent_requests=8) as service, slow_senders(service, ingress, 12):
        answer = await service.client.post(PATH, json={"value": 3}, headers=headers)
    assert answer.status_code == 200


async def test_a_body_has_a_time_of_its_own(running: Running, caller: TlsFiles) -> None:
    """A body that does not come is answered 408 once its grace is over, long before the request's deadline."""
    settings = {"body_grace_seconds": 0.5}
    async with running(**settings) as service, slow_senders(service, caller, 1) as senders:
        status, body = await asyncio.wait_for(answer_of(senders[0]), 30)
    assert (status, body["code"]) == (408, "body_too_slow")


async def test_a_long_body_is_timed_by_its_progress(running: Running, caller: TlsFiles, issuer: TokenIssuer) -> None:
    """Beyond its first 64 KiB a body that stops is refused, and one that keeps to the rate is read to its end."""
    rate = {"body_grace_seconds": 2, "body_min_bytes_per_second": 100_000}
    text = b'{"value": "' + b"x" * 200_000 + b'"}'
    headers = {
        "Authorization": f"Bearer {issuer.user_token(('small:write',))}", "Content-Type": "application/json",
    }  # fmt: skip

    async def steadily() -> AsyncIterator[bytes]:
        for at in range(0, len(text), 40_000):
            yield text[at : at + 40_000]
            await asyncio.sleep(0.2)

    async with (
        running(**rate) as service,
        slow_senders(service, caller, 1, announced=200_000, sent=text[:100_000]) as s,
    ):
        status, body = await asyncio.wait_for(answer_of(s[0]), 30)
        read = await service.client.post(PATH, content=steadily(), headers=headers)
    assert (status, body["code"]) == (408, "body_too_slow")
    assert (read.status_code, read.json()["code"]) == (422, "validation_error")


async def test_services_find_places_when_strangers_took_theirs(
    running: Running, authority: Authority, caller: TlsFiles, tmp_path: Path
) -> None:
    """Callers from outside together take three quarters of the places; the rest is there for services."""
    ingress = authority.write(tmp_path / "ingress", "ingress")
    async with running(client=ingress, max_concurrent_requests=4) as service:
        strangers = [asyncio.ensure_future(service.client.get("/v1/small/slow?seconds=5")) for _ in range(4)]

        async def are_there() -> bool:
            return any(stranger.done() for stranger in strangers)  # The fourth was refused.

        await until(are_there)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(service.url.rsplit(":", 1)[1]), ssl=caller.client_context()
        )
        writer.write(b"GET /v1/small/slow?seconds=0 HTTP/1.1\r\nHost: x\r\n\r\n")
        status, _ = await answer_of(reader)
        writer.close()
        statuses = sorted(answer.status_code for answer in await asyncio.gather(*strangers))
    assert status == 200
    assert statuses == [200, 200, 200, 429]


async def test_one_address_has_so_many_bodies_open(
    running: Running, authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """Above its share an address is refused, whether its bodies arrive or not; another one is served."""
    ingress = authority.write(tmp_path / "ingress", "ingress")
    headers = {"Authorization": f"Bearer {issuer.user_token(('small:write',))}"}
    async with running(client=ingress, max_open_bodies_per_address=3) as service, slow_senders(service, ingress, 3):
        own = await service.client.post(PATH, json={"value": 3}, headers=headers)
        other = {**headers, "X-Forwarded-For": "203.0.113.7"}
        others = await service.client.post(PATH, json={"value": 3}, headers=other)
        without_body = await service.client.get(PATH, headers=headers)
    assert (own.status_code, own.json()["code"]) == (429, "overloaded")
    assert (others.status_code, without_body.status_code) == (200, 403)
