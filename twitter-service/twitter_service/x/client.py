"""The client of X API v2: tweepy's clients with rate limits, typed errors and retries around them.

tweepy knows the endpoints and their parameters. It keeps no count of limits, hides the headers and has one fixed host,
so its ``request`` is replaced here, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from tweepy import StreamRule
from tweepy.asynchronous import AsyncClient, AsyncStreamingClient

from castor_chassis import ServiceError
from castor_chassis.client.retry import AttemptFailed, Retrier, RetryPolicy, retry_after_seconds
from castor_chassis.context import remaining_seconds
from twitter_service.metrics import X_REQUESTS
from twitter_service.x.errors import UserNotFound, XRejected, XUnauthorized, XUnavailable
from twitter_service.x.rate_limits import Slot, XLimits
from twitter_service.x.span import Json, Span

TWEET_FIELDS = [
    "attachments", "author_id", "conversation_id", "created_at", "edit_history_tweet_ids", "entities", "geo",
    "in_reply_to_user_id", "lang", "possibly_sensitive", "public_metrics", "referenced_tweets", "source",
]  # fmt: skip
USER_FIELDS = ["created_at", "description", "location", "profile_image_url", "public_metrics", "verified"]
_POST_FIELDS: dict[str, Any] = {"tweet_fields": TWEET_FIELDS, "user_fields": USER_FIELDS, "expansions": ["author_id"]}
RECENT_PAGE, ARCHIVE_PAGE, TIMELINE_PAGE = 100, 500, 100
MIN_PAGE, MIN_TIMELINE_PAGE = 10, 5
RULES_PATIENCE_SECONDS = 1000.0

Call = Callable[[], Awaitable[aiohttp.ClientResponse]]


@dataclass(frozen=True)
class XPage:
    """One page of API v2 objects. A page may be empty and still have a ``next_token``: it is not the last one then."""

    tweets: list[Json]
    users: list[Json] = field(default_factory=list)
    next_token: str | None = None
    missing: list[str] = field(default_factory=list)


class _Tweepy(AsyncClient):  # type: ignore[misc]
    """tweepy with our session and base URL; answers are returned whatever their status."""

    session: aiohttp.ClientSession | None

    def __init__(self, token: str, base_url: str, connections: int) -> None:
        super().__init__(token, return_type=aiohttp.ClientResponse)
        self._base_url = base_url.rstrip("/")
        self._connections = connections

    async def request(
        self, method: str, route: str, params: Any = None, json: Any = None, user_auth: bool = False
    ) -> aiohttp.ClientResponse:
        """Send one request and read its answer."""
        del user_auth
        if self.session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60)
            # Each attempt is bounded where it is made, by the policy and by the caller's deadline.
            self.session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        headers = {"Authorization": f"Bearer {self.bearer_token}", "User-Agent": self.user_agent}
        async with self.session.request(
            method, self._base_url + route, params=params, json=json, headers=headers
        ) as response:
            await response.read()
            return response


class _Rules(AsyncStreamingClient):  # type: ignore[misc]
    """tweepy's calls about the rules of the stream, sent through ``_Tweepy``."""

    def __init__(self, sender: _Tweepy) -> None:
        super().__init__(sender.bearer_token, return_type=aiohttp.ClientResponse)
        self._sender = sender

    async def request(
        self, method: str, route: str, params: Any = None, json: Any = None, user_auth: bool = False
    ) -> Any:
        """Send one request and read its answer."""
        return await self._sender.request(method, route, params, json, user_auth)


@dataclass(frozen=True)
class XPolicy:
    """See the settings of the same names."""

    base_url: str
    timeout_seconds: float
    connections: int
    attempts: int
    fail_max: int
    reset_seconds: float


class XClient:
    """Requests to X; ``patience`` is how many seconds a method may wait for the allowance of its endpoint.

    Every method raises ``XUnavailable``, ``XAllowanceSpent``, ``XLimitsUnavailable``, ``XUnauthorized`` or
    ``XRejected``.
    """

    def __init__(self, token: str, limits: XLimits, policy: XPolicy) -> None:
        self.limits = limits
        self._policy = policy
        self._x = _Tweepy(token, policy.base_url, policy.connections)
        self._rules = _Rules(self._x)
        retries = RetryPolicy(
            attempts=policy.attempts,
            attempt_timeout_seconds=policy.timeout_seconds,
            fail_max=policy.fail_max,
            reset_seconds=policy.reset_seconds,
            backoff_base_seconds=0.2,
        )
        self._retrier = Retrier("x", retries)
        self.breaker = self._retrier.breaker

    async def close(self) -> None:
        """Close the connections."""
        if self._x.session is not None:
            await self._x.session.close()

    async def search(
        self, query: str, span: Span, token: str | None, *, size: int, archive: bool, patience: float
    ) -> XPage:
        """Return one page, newest first."""
        max_results = min(ARCHIVE_PAGE if archive else RECENT_PAGE, max(MIN_PAGE, size))
        ask = self._x.search_all_tweets if archive else self._x.search_recent_tweets
        parameters = {**_POST_FIELDS, **span.parameters(), "max_results": max_results, "next_token": token}
        endpoint = "search_all" if archive else "search_recent"
        return _page(await self._call(endpoint, lambda: ask(query, **parameters), patience))

    async def count(self, query: str, span: Span, *, archive: bool, patience: float) -> int:
        """Return how many posts a search would find."""
        ask = self._x.get_all_tweets_count if archive else self._x.get_recent_tweets_count
        endpoint, total, token = ("counts_all" if archive else "counts_recent"), 0, None
        while True:
            parameters = {**span.parameters(), "granularity": "day", **({"next_token": token} if token else {})}
            body = await self._call(endpoint, lambda parameters=parameters: ask(query, **parameters), patience)  # type: ignore[misc]
            meta = _mapping(body.get("meta"))
            total += int(meta.get("total_tweet_count") or 0)
            token = meta.get("next_token")
            if not token:
                return total

    async def tweets(self, ids: Sequence[str], *, patience: float) -> XPage:
        """Look posts up, at max_results 100; ``missing`` are the ids that X does not show."""
        body = await self._call("tweets", lambda: self._x.get_tweets(list(ids), **_POST_FIELDS), patience)
        return _page(body)

    async def user(self, handle: str, *, patience: float) -> Json:
        """Return the account called ``handle``; raises ``UserNotFound``."""
        body = await self._call(
            "users_by", lambda: self._x.get_user(username=handle, user_fields=USER_FIELDS), patience
        )
        if not isinstance(body.get("data"), dict):
            raise UserNotFound(handle=handle)
        found: Json = body["data"]
        return found

    async def timeline(self, user_id: str, span: Span, token: str | None, *, size: int, patience: float) -> XPage:
        """Return one page of what an account wrote, newest first."""
        max_results = min(TIMELINE_PAGE, max(MIN_TIMELINE_PAGE, size))
        parameters = {**_POST_FIELDS, **span.parameters(), "max_results": max_results, "pagination_token": token}
        return _page(await self._call("timeline", lambda: self._x.get_users_tweets(user_id, **parameters), patience))

    async def rules(self) -> list[Json]:
        """Return all rules of the filtered stream, those without our tag included."""
        body = await self._call("rules", self._rules.get_rules, RULES_PATIENCE_SECONDS)
        return [rule for rule in _sequence(body.get("data")) if isinstance(rule, dict)]

    async def add_rules(self, rules: Sequence[StreamRule]) -> None:
        """Add rules; X ignores one that exists already. Raises ``XRejected`` where it refuses one of them."""
        body = await self._call("rules_change", lambda: self._rules.add_rules(list(rules)), RULES_PATIENCE_SECONDS)
        for error in _sequence(body.get("errors")):
            title = _mapping(error).get("title")
            if title != "DuplicateRule":
                raise XRejected(status=200, reason=str(_mapping(error).get("detail") or title)[:300])

    async def delete_rules(self, ids: Sequence[str]) -> None:
        """Delete rules by id."""
        await self._call("rules_change", lambda: self._rules.delete_rules(list(ids)), RULES_PATIENCE_SECONDS)

    async def _call(self, endpoint: str, call: Call, patience: float) -> Json:
        slot: Slot

        @asynccontextmanager
        async def admitted() -> AsyncIterator[None]:
            nonlocal slot
            left = remaining_seconds()
            async with self.limits.slot(endpoint, patience if left is None else min(patience, left)) as slot:
                yield

        async def attempt(_seconds: float) -> Json:
            status = "failed"
            try:
                response = await self._response(call)
                slot.answered(response.status, response.headers)
                status = str(response.status)
                return await self._body(response)
            except AttemptFailed as failed:
                status = "failed" if failed.outage else status
                raise
            finally:
                X_REQUESTS.labels(endpoint, status).inc()

        def refused(retry_after_seconds: float) -> XUnavailable:
            X_REQUESTS.labels(endpoint, "unsent").inc()
            reason = "several requests in a row failed"
            return XUnavailable(reason=reason, retry_after_seconds=retry_after_seconds)

        def late(_seconds: float) -> AttemptFailed:
            return self._failed("no answer in time")

        return await self._retrier.run(attempt, late=late, refused=refused, admit=admitted)

    async def _response(self, call: Call) -> aiohttp.ClientResponse:
        try:
            return await call()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._failed(type(error).__name__) from error

    async def _body(self, response: aiohttp.ClientResponse) -> Json:
        """Return the body of a success; raises what the answer says, ``AttemptFailed`` where it may pass."""
        # The whole body was read before; read() itself refuses a response that is done.
        content = await response.text(encoding="utf-8", errors="replace")
        if response.status == 429:
            # The slot records when X accepts the next request; no other slot is granted before.
            error = XUnavailable(reason="status 429", retry_after_seconds=1)
            raise AttemptFailed(error, repeatable=True, outage=False, throttled=True)
        if response.status >= 500:
            wait = retry_after_seconds(response.headers.get("retry-after"))
            raise self._failed(f"status {response.status}", wait)
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            if response.status == 200:
                raise self._failed("an answer that is not JSON") from error
            body = {}
        try:
            return _checked(response.status, _mapping(body))
        except ServiceError as error:
            raise AttemptFailed(error, repeatable=False, outage=False) from error

    def _failed(self, reason: str, wait_seconds: float | None = None) -> AttemptFailed:
        error = XUnavailable(reason=reason, retry_after_seconds=wait_seconds or self._policy.reset_seconds)
        return AttemptFailed(error, repeatable=True, wait_seconds=wait_seconds)


def _checked(status: int, body: Json) -> Json:
    if 200 <= status < 300:
        return body
    reason = str(body.get("detail") or body.get("title") or "no reason given")[:300]
    if status in (401, 402, 403):
        raise XUnauthorized(status=status, reason=reason, retry_after_seconds=60)
    raise XRejected(status=status, reason=reason)


def _page(body: Json) -> XPage:
    data, includes, meta = body.get("data"), _mapping(body.get("includes")), _mapping(body.get("meta"))
    errors = [item for item in _sequence(body.get("errors")) if isinstance(item, dict)]
    return XPage(
        tweets=[item for item in _sequence(data) if isinstance(item, dict)],
        users=[item for item in _sequence(includes.get("users")) if isinstance(item, dict)],
        next_token=meta.get("next_token") or None,
        missing=[str(item["resource_id"]) for item in errors if item.get("resource_id")],
    )


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
