"""The processes that are measured: auth-service, and a FastAPI route that calls PyJWT."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from castor_chassis.observability.logging import configure_logging
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import run_service, tls_settings
from castor_chassis.tls import TlsFiles

TOKENS = 500


EMAIL = "admin@castor.example"


PASSWORD = "cuatro caballos lentos"


def serve_ours(files: TlsFiles, database: str, redis: str, pipe: Connection) -> None:
    """Run auth-service as in production, its access log written to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    configure_logging("auth-service", "INFO")
    uvloop.run(_serve_ours(files, database, redis, pipe))


async def _serve_ours(files: TlsFiles, database: str, redis: str, pipe: Connection) -> None:
    await migrate(database, "auth_service")
    settings = AuthSettings(
        **tls_settings(files), database_url=database, redis_url=redis, key_encryption_secret="x" * 40, development=True,
        bootstrap_admin_email=EMAIL, bootstrap_admin_password=PASSWORD, mfa_required_roles="none",
        throttle_free_attempts=1_000_000,
        address_rate_limit="1000000/minute", rate_limit="100000000/minute",
    )  # fmt: skip
    async with run_service(create_app(settings), settings) as service:
        await service.ready()
        r = service.app.state.resources
        while (user := await r.users.by_email(EMAIL)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        public = r.signing_keys.active().public.to_pem()

        async def tokens(number: int) -> list[str]:
            return [await r.sessions.issuer.user_token(user, f"{n:032x}") for n in range(number)]

        pipe.send((service.pair.api.port, public, await tokens(TOKENS)))
        while (asked := await asyncio.to_thread(pipe.recv)) != "stop":
            pipe.send(time.process_time() if asked == "cpu" else await tokens(asked))


class Body(BaseModel):
    """What the peer's route takes."""

    token: str


def serve_peer(files: TlsFiles, public: bytes, kind: str, pipe: Connection) -> None:
    """Run what one would write by hand: a FastAPI route that calls PyJWT; no log, no metrics."""
    import jwt
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    app, key = FastAPI(), load_pem_public_key(public)

    def judge(token: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, key, ["RS256"], audience="castor", issuer="https://auth.castor")  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            return {"valid": False, "reason": str(error)}
        return {
            "valid": True, "user_id": claims["sub"], "email": claims["email"], "roles": claims["roles"],
            "exp": claims["exp"],
        }  # fmt: skip

    if kind == "def":

        @app.post("/v1/validate")
        def validate(body: Body) -> dict[str, Any]:
            return judge(body.token)
    else:

        @app.post("/v1/validate")
        async def validate_async(body: Body) -> dict[str, Any]:
            return judge(body.token)

    uvloop.run(_serve_peer(app, files, pipe))


async def _serve_peer(app: Any, files: TlsFiles, pipe: Connection) -> None:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http="httptools", ws="none", access_log=False, log_config=None,
        server_header=False, date_header=False,
        ssl_context_factory=lambda _config, _default: files.server_context(),
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    pipe.send(server.servers[0].sockets[0].getsockname()[1])
    while await asyncio.to_thread(pipe.recv) != "stop":
        pipe.send(time.process_time())
    server.should_exit = True
    await serving


def start(name: str, target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    """Start a server process; return it and its pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(*arguments, theirs), daemon=True, name=name)
    process.start()
    return process, ours
