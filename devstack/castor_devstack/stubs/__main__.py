"""``python -m castor_devstack.stubs SERVICE``: the stub of a service over mutual TLS, at its address."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from castor_devstack.stack.services import LOOPBACK
from castor_devstack.stubs.contract import Answer, StubbedContract


class StubApp:
    """The ASGI application of a stub; a read that waits for news waits as the service would."""

    def __init__(self, contract: StubbedContract) -> None:
        self._contract = contract

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        query = dict(parse_qsl(scope["query_string"].decode()))
        answer = self._contract.answer(scope["method"], scope["path"], query)
        if b'"items": []' in answer.body:
            await asyncio.sleep(min(float(query.get("wait", 0)), 25))
        await _send(send, answer)


async def _send(send: Any, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-castor-stub", b"true"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def main() -> None:
    """Serve until SIGTERM; the environment says where, and with which certificate."""
    uvicorn.run(
        StubApp(StubbedContract(sys.argv[1])),
        host=LOOPBACK,
        port=int(os.environ["API_PORT"]),
        ssl_certfile=os.environ["TLS_CERT_FILE"],
        ssl_keyfile=os.environ["TLS_KEY_FILE"],
        ssl_ca_certs=os.environ["TLS_CA_FILE"],
        ssl_cert_reqs=ssl.CERT_REQUIRED,
        lifespan="off",
        log_level="warning",
    )


if __name__ == "__main__":
    main()
