"""The body of an upload, whose sender may go away."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from twitter_service.errors import UploadBroken


async def upload(request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it comes; raises ``UploadBroken`` when its sender goes away."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise UploadBroken from error
