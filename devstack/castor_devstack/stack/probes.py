"""How the devstack asks a part whether it serves: small, without a client library, bounded in time."""

from __future__ import annotations

import asyncio
import json
import ssl

from castor_devstack.supervision.state_folder import Home

PATIENCE_SECONDS = 2.0


async def http_get(port: int, path: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Return status and body of ``GET path`` on the loopback address; raises ``OSError`` when nobody answers."""
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
    """Tell whether ``GET path`` answers 200."""
    try:
        return (await http_get(port, path))[0] == 200
    except (OSError, TimeoutError):
        return False


async def service_ready(management_port: int) -> bool:
    """Tell whether a service calls itself ready; raises ``OSError`` when its management port does not answer."""
    return (await http_get(management_port, "/health/ready"))[0] == 200


async def service_lacks(management_port: int) -> str:
    """Return what a service says that it still waits for."""
    try:
        checks: dict[str, str] = json.loads((await http_get(management_port, "/health/ready"))[1])["checks"]
    except (OSError, ValueError, KeyError, TypeError):
        return "its management port does not answer"
    return "; ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")


async def ingress_answers(home: Home, port: int) -> bool:
    """Tell whether the ingress serves with a certificate of our authority; raises ``OSError`` when it does not."""
    context = ssl.create_default_context(cafile=str(home.authority_file))
    return (await http_get(port, "/", context))[0] == 404
