"""The contestants of ``against_litellm``, each in a process of its own, and the fake upstream behind them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvicorn
import uvloop

PRICE = (0.15, 0.60)  # USD per million prompt and completion tokens
# No more prompt tokens than a prompt has bytes, as with every real tokeniser.
USAGE = {"prompt_tokens": 150, "completion_tokens": 500, "total_tokens": 650}
COST_USD = (PRICE[0] * USAGE["prompt_tokens"] + PRICE[1] * USAGE["completion_tokens"]) / 1e6
MODEL = "gpt-4o-mini"
CHAT = "/v1/chat/completions"
MASTER_KEY = "sk-bench"
_ANSWER = orjson.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Una respuesta corta. " * 20, "refusal": None},
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }
)
_REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(_ANSWER), _ANSWER)


class _Upstream(asyncio.Protocol):
    """Answers every request with the same completion after ``delay`` seconds, as cheaply as Python can."""

    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end].lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._rest) < end + 4 + size:
                return
            self._rest = self._rest[end + 4 + size :]
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, self._transport.write, _REPLY)
            else:
                self._transport.write(_REPLY)


async def _serve_upstream(delay: float) -> None:
    _Upstream.delay = delay
    server = await asyncio.get_running_loop().create_server(_Upstream, "127.0.0.1", 0)
    _say({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"})
    await server.serve_forever()


async def _serve_passthrough(upstream: str) -> None:
    """The least that a gateway in Python can do: read a body, send it on, send the answer back."""
    target = upstream + "/chat/completions"
    headers = {"Authorization": "Bearer sk-upstream", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def app(_scope: Any, receive: Any, send: Any) -> None:
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            async with session.post(target, data=body, headers=headers) as reply:
                content = await reply.read()
            given = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
            await send({"type": "http.response.start", "status": reply.status, "headers": given})
            await send({"type": "http.response.body", "body": content})

        config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="warning", access_log=False)
        await _announced(uvicorn.Server(config), "http", {})


async def _serve_ours(given: dict[str, Any]) -> None:
    from castor_chassis.observability.logging import configure_logging
    from castor_chassis.service.server import ServicePair
    from castor_chassis.testing import TokenIssuer
    from openai_service.app import create_app
    from openai_service.settings import OpenAISettings

    configure_logging("openai-service", "INFO")
    issuer = TokenIssuer()
    settings = OpenAISettings(**given)
    pair = ServicePair(create_app(settings, keys=issuer), settings)
    serving = asyncio.ensure_future(pair.run())
    await pair.freeze_startup()
    scheme = "http" if settings.tls_cert_file is None else "https"
    _say(
        {"url": f"{scheme}://127.0.0.1:{pair.api.port}", "token": issuer.user_token(["llm:use"], lifetime_seconds=7200)}
    )
    await serving


async def _announced(server: uvicorn.Server, scheme: str, more: dict[str, str]) -> None:
    serving = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    _say({"url": f"{scheme}://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", **more})
    await serving


def _say(place: Mapping[str, str]) -> None:
    # Logs go where they would go in production, written for real, and then to nowhere.
    print("place " + json.dumps(place), flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@dataclass
class Contestant:
    """Something that answers chat completions."""

    name: str
    url: str
    token: str
    process: subprocess.Popen[bytes]
    path: str = CHAT
    more: dict[str, Any] = field(default_factory=dict)

    def rss_mb(self) -> float:
        """Return the resident memory of the process and its children, in MB."""
        return sum(_rss_kb(pid) for pid in _family(self.process.pid)) / 1024

    def cpu_seconds(self) -> float:
        """Return the CPU time used so far, children included."""
        return sum(_cpu(pid) for pid in _family(self.process.pid))


def _family(pid: int) -> list[int]:
    # Whichever thread started a child is its parent here.
    children = [one for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]
    return [pid, *(one for child in children for one in _family(int(child)))]


def _rss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def child(kind: str, argument: Any) -> Iterator[tuple[dict[str, str], subprocess.Popen[bytes]]]:
    """Run one of this module's servers; yields where it is, and its process."""
    command = [sys.executable, "-m", "bench.openai.processes", kind, json.dumps(argument, default=str)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        assert process.stdout is not None
        line = b"begin"
        while line and not line.startswith(b"place "):
            line = process.stdout.readline()
        yield json.loads(line.removeprefix(b"place ")), process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process and wait for it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Be one of the servers."""
    kind, argument = sys.argv[1], json.loads(sys.argv[2])
    servers = {"upstream": _serve_upstream, "passthrough": _serve_passthrough, "ours": _serve_ours}
    uvloop.run(servers[kind](argument))  # type: ignore[operator]


if __name__ == "__main__":
    main()
