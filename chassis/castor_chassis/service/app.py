"""The composition of a service: what all services have, made by one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Generic

import structlog
from fastapi import APIRouter, FastAPI
from opentelemetry.sdk.trace import TracerProvider
from redis.asyncio import Redis
from starlette.routing import BaseRoute
from typing_extensions import TypeVar

from castor_chassis.background.lease import run_under_lease
from castor_chassis.background.supervisor import Workers
from castor_chassis.client.peer import Peer, PeerPolicy
from castor_chassis.observability.http_metrics import measure_requests
from castor_chassis.observability.tracing import trace_requests
from castor_chassis.security.auth_client import RemoteRevocations
from castor_chassis.security.authorization import ApiKeyVerifier, Authenticator
from castor_chassis.security.jwt import KeySource
from castor_chassis.security.peer_tokens import ServiceTokens, UserTokens
from castor_chassis.security.revocation import RevocationFollower, RevocationList
from castor_chassis.service.credentials import build_authenticator
from castor_chassis.service.error_handlers import install_error_handlers
from castor_chassis.service.health import Health
from castor_chassis.service.middleware import Admission, RequestLayer
from castor_chassis.settings import ServiceSettings, reveal
from castor_chassis.storage.cache import Cache
from castor_chassis.storage.migrations import check_migrated
from castor_chassis.storage.postgres import Postgres
from castor_chassis.storage.redis import check_keeps_keys, close_redis, open_redis
from castor_chassis.tls import TlsIdentity, identity_of
from castor_chassis.wire.errors import common_responses
from castor_chassis.wire.openapi import contract_arguments

log = structlog.get_logger("castor.app")
T = TypeVar("T")
SettingsT = TypeVar("SettingsT", bound=ServiceSettings, covariant=True, default=ServiceSettings)
S = TypeVar("S", bound=ServiceSettings)
Start = Callable[["Chassis[S]"], AbstractAsyncContextManager[Any]]
HttpProtocol = Callable[["Chassis"], Callable[..., asyncio.Protocol]]
"""Returns uvicorn's ``http`` factory for the API port: a subclass of ``PeerAwareProtocol``."""


class Chassis(Generic[SettingsT]):
    """Pools, clients, background tasks and health of a running service; the argument of ``start``."""

    def __init__(self, settings: SettingsT, package: str, routes: Sequence[BaseRoute]) -> None:
        self.settings = settings
        self.package = package
        self.routes = routes
        self.health = Health()
        self.workers = Workers()
        self.tls: TlsIdentity | None = None
        self.redis: Redis | None = None
        self.limits_redis: Redis | None = None
        self.authenticator: Authenticator
        self.revoked = RevocationList()
        self.http_protocol: HttpProtocol | None = None
        self.admissions: dict[str, Admission] = {}
        self._postgres: Postgres | None = None
        self._tokens: ServiceTokens | None = None
        self._user_tokens: UserTokens | None = None
        self._peers: dict[str, Peer] = {}
        self._threads = ThreadPoolExecutor(settings.worker_threads, thread_name_prefix="castor")

    @property
    def postgres(self) -> Postgres:
        """The service's database; raises ``RuntimeError`` when the settings name none."""
        if self._postgres is None:
            raise RuntimeError(f"{self.settings.service_name} needs a database: set DATABASE_URL")
        return self._postgres

    @property
    def cache(self) -> Cache:
        """The service's cache."""
        return Cache(self.redis, self.settings.service_name)

    def peer(
        self, name: str, base_url: str, *, attempt_timeout_seconds: float | None = None, on_behalf: bool = False
    ) -> Peer:
        """Return the client of the service ``name``, the same each time; it sends our service token.

        ``on_behalf``: it also says for which user it calls, by a token that was exchanged for the user's.
        """
        if name not in self._peers:
            policy = self._policy(attempt_timeout_seconds)
            tokens = self._tokens.token if self._tokens is not None else None
            users = self._user_tokens.token if self._user_tokens is not None and on_behalf else None
            self._peers[name] = Peer(name, base_url, policy=policy, tls=self.tls, tokens=tokens, user_tokens=users)
        return self._peers[name]

    def _policy(self, attempt_timeout_seconds: float | None) -> PeerPolicy:
        settings = self.settings
        return PeerPolicy(
            attempts=settings.peer_attempts,
            attempt_timeout_seconds=attempt_timeout_seconds or settings.peer_attempt_timeout_seconds,
            max_connections=settings.peer_max_connections,
            fail_max=settings.breaker_fail_max,
            reset_seconds=settings.breaker_reset_seconds,
        )

    def spawn(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` in the background for the life of the service; restarted with backoff when it fails."""
        self.workers.spawn(name, work)

    def spawn_under_lease(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """``spawn`` work that one replica at a time does, once the database is migrated.

        The lease is called ``<service>:<name>``, for example ``trending:follow_tweets``.
        """
        lease = f"{self.settings.service_name.removesuffix('-service')}:{name}"

        async def run() -> None:
            await check_migrated(self.postgres, self.package)
            await run_under_lease(self.postgres, lease, work)

        self.spawn(name, run)

    async def in_thread(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run CPU work off the event loop, on at most ``worker_threads`` threads."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def load(self, name: str, function: Callable[[], T]) -> asyncio.Task[T]:
        """Load something in a thread while the service is live; it is ready once this has returned.

        A failure keeps the service not ready, and readiness says why.
        """
        gate = self.health.gate(name)

        async def run() -> T:
            try:
                loaded = await self.in_thread(function)
            except Exception as error:
                gate.fail(str(error) or type(error).__name__)
                log.exception("load_failed", part=name)
                raise
            gate.open()
            log.info("loaded", part=name)
            return loaded

        task = asyncio.get_running_loop().create_task(run())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def use_tls(self) -> TlsIdentity | None:
        """Load the certificate that the settings name, once; None when they name none."""
        if self.tls is None:
            self.tls = identity_of(self.settings)
        return self.tls

    async def open(self, keys: KeySource | None, api_keys: ApiKeyVerifier | None) -> None:
        """Create pools and clients and start the chassis's own background tasks; nothing is contacted yet."""
        self.use_tls()
        await self._open_stores()
        self._tokens = ServiceTokens(self._auth_peer("auth-tokens", self._policy(None)))
        # Nobody waits long for it: without the exchanged token the caller answers without the peer.
        exchange = PeerPolicy(attempts=1, attempt_timeout_seconds=1, max_connections=16, reset_seconds=5)
        self._user_tokens = UserTokens(self._auth_peer("auth-exchange", exchange))
        for held in (self._tokens, self._user_tokens):
            self.revoked.on_add(held.revoke)
            if self.tls is not None:
                self.tls.on_change(held.forget)
        self.authenticator = build_authenticator(
            self.settings, self.revoked, lambda name: self._auth_peer(name, self._policy(None)), keys, api_keys
        )
        if keys is None:
            self._follow_revocations()
        if self.tls is not None:
            tls = self.tls
            self.spawn("tls_watch", lambda: tls.watch(self.settings.tls_poll_seconds))

    def _auth_peer(self, name: str, policy: PeerPolicy) -> Peer:
        """Return a client of auth-service for one purpose, with a breaker, a bulkhead and a pool of its own.

        Strangers can cause calls about API keys and key ids; they must not be able to stop the other calls.
        """
        peer = self._peers[name] = Peer(name, self.settings.auth_url, policy=policy, tls=self.tls)
        return peer

    def _follow_revocations(self) -> None:
        # One attempt, and a breaker of its own that hardly refuses: the follower repeats by itself.
        policy = PeerPolicy(attempts=1, attempt_timeout_seconds=2, max_connections=2, reset_seconds=1)
        fetch = RemoteRevocations(self._auth_peer("auth-revocations", policy)).fetch
        follower = RevocationFollower(self.revoked, fetch, self.redis, self.settings.auth_issuer)
        self.spawn("revocations", follower.run)

    async def _open_stores(self) -> None:
        settings = self.settings
        self.redis = open_redis(reveal(settings.redis_url), settings.redis_timeout_seconds)
        self.limits_redis = open_redis(reveal(settings.limits_redis_url), settings.redis_timeout_seconds) or self.redis
        if self.limits_redis is not None:
            self.health.check("limits", partial(check_keeps_keys, self.limits_redis))
        database_url = reveal(settings.database_url)
        if database_url is not None:
            self._postgres = Postgres(
                database_url,
                size=settings.database_pool_size,
                timeout_seconds=settings.database_timeout_seconds,
            )
            await self._postgres.open()
            self.health.check("database", partial(check_migrated, self._postgres, self.package))

    async def close(self) -> None:
        """Stop the background work, then close what it used."""
        await self.workers.stop()
        for peer in self._peers.values():
            await peer.close()
        if self._postgres is not None:
            await self._postgres.close()
        await close_redis(self.redis, self.limits_redis)
        self._threads.shutdown(wait=False, cancel_futures=True)


def create_service(
    settings: S,
    *,
    package: str,
    version: str,
    summary: str,
    routers: Sequence[APIRouter],
    start: Start[S],
    tags: Mapping[str, str] | None = None,
    slow_paths: Mapping[str, float] | None = None,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
    http_protocol: HttpProtocol | None = None,
) -> FastAPI:
    """Return the FastAPI app of one service.

    ``start(chassis)`` is an async context manager that yields what the routes use; it becomes
    ``app.state.resources``. ``tags`` says what the operations of each tag are for. ``keys`` and ``api_keys``
    replace the remote ones (auth-service has its own, tests have theirs). ``slow_paths`` maps paths to seconds
    where the usual deadline is too short. ``http_protocol`` replaces the HTTP protocol of the API port.
    """
    routes = [route for router in routers for route in router.routes]
    chassis = Chassis(settings, package, routes)
    chassis.http_protocol = http_protocol
    app = FastAPI(
        title=settings.service_name,
        version=version,
        summary=summary,
        lifespan=_lifespan(chassis, start, keys, api_keys),
        responses=common_responses(),
        **contract_arguments(tags or {}),
        telemetry={"tracing": False, "metrics": False, "logs": False},
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.chassis = chassis
    for router in routers:
        app.include_router(router)
    install_error_handlers(app)
    has_spans = tracer_provider is not None or settings.otel_exporter_otlp_endpoint is not None
    app.add_middleware(
        RequestLayer,
        settings=settings,
        health=chassis.health,
        slow_paths=dict(slow_paths or {}),
        admissions=chassis.admissions,
        has_spans=has_spans,
    )
    measure_requests(app)
    if has_spans:
        trace_requests(app, tracer_provider)
    return app


def _lifespan(
    chassis: Chassis[S], start: Start[S], keys: KeySource | None, api_keys: ApiKeyVerifier | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await chassis.open(keys, api_keys)
        try:
            async with start(chassis) as resources:
                app.state.resources = resources
                log.info("started", version=app.version)
                yield
                # What works in the background uses the resources, so it ends before them.
                await chassis.workers.stop()
        finally:
            await chassis.close()

    return lifespan
