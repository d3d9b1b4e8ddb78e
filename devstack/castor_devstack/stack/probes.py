"""Readiness checks of parts: plain HTTP without a client library, each limited in time."""

from __future__ import annotations

import asyncio
import json
import ssl

from castor_devstack.supervision.state_folder import StateFolder

PATIENCE_SECONDS = 2.0


async def http_get(port: int, path: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Return status and body of ``GET path`` on the loopback address; raises ``OSError`` when nothing answers."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        host = "localhost" if context else None
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
        try:
            # HTTP/1.0: the body ends with the connection and is not chunked.
            writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            answer = await reader.read(65_536)
            while more := await reader.read(65_536):
                answer += more
        finally:
            writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]), body) if head.startswith(b"HTTP/") else (0, b"")


async def answers(port: int, path: str) -> bool:
    """Return whether ``GET path`` answers 200."""
    try:
        return (await http_get(port, path))[0] == 200
    except (OSError, TimeoutError):
        return False


async def listens(port: int) -> bool:
    """Return whether a connection to the port is accepted; raises ``OSError`` when it is not."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
    return True


async def service_ready(management_port: int) -> bool:
    """Return whether a service reports that it is ready; raises ``OSError`` when nothing answers."""
    return (await http_get(management_port, "/health/ready"))[0] == 200


async def pending_checks(management_port: int) -> str:
    """Return the readiness checks of a service that are not ok, as text."""
    try:
        checks: dict[str, str] = json.loads((await http_get(management_port, "/health/ready"))[1])["checks"]
    except (OSError, ValueError, KeyError, TypeError):
        return "its management port does not answer"
    return "; ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")


async def ingress_answers(state_folder: StateFolder, port: int) -> bool:
    """Return whether the ingress gives out the console with our certificate; raises ``OSError`` if nothing answers."""
    context = ssl.create_default_context(cafile=str(state_folder.authority_file))
    return (await http_get(port, "/", context))[0] == 200
