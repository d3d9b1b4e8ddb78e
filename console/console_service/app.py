"""Composition root of the console's server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from opentelemetry.sdk.trace import TracerProvider
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, NotFound, create_service, public
from console_service import SITE, __version__
from console_service.headers import Headers
from console_service.settings import ConsoleSettings

LEAST_COMPRESSED_BYTES = 1024
Anybody = Annotated[None, Depends(public("the console holds no data; it asks the services with its reader's token"))]


def create_app(
    settings: ConsoleSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app."""
    app = create_service(
        settings,
        package="console_service",
        version=__version__,
        summary="The console's files.",
        routers=[_files_router()],
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )
    app.add_middleware(GZipMiddleware, minimum_size=LEAST_COMPRESSED_BYTES)
    return app


@asynccontextmanager
async def start(_: Chassis[ConsoleSettings]) -> AsyncIterator[None]:
    """There is nothing to connect."""
    yield


def _files_router() -> APIRouter:
    router, headers, files = APIRouter(), Headers(), StaticFiles(directory=SITE, html=True)

    @router.get("/docs", include_in_schema=False)
    async def redirect_to_docs(_: Anybody) -> RedirectResponse:
        """Return the address of the viewer with its slash, which relative addresses need."""
        return RedirectResponse("/docs/", 308)

    @router.get("/{path:path}", include_in_schema=False)
    async def read_file(path: str, request: Request, _: Anybody) -> Response:
        """Return a file of the console, or 304 where the browser has it."""
        try:
            response = await files.get_response(path or "index.html", request.scope)
        except HTTPException as error:
            raise NotFound(path=path) from error
        response.headers.update(headers.of(path))
        return response

    return router
