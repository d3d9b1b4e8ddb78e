"""Sends events to webhooks: signed, in order, again and again until they arrive or are dead."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import aiohttp
from standardwebhooks import Webhook

from castor_chassis import normal_time
from trending_service.metrics import DELIVERIES
from trending_service.watches.model import Batch, Watch
from trending_service.watches.repository import WatchRepository
from trending_service.watches.schedule import pause_seconds
from trending_service.watches.targets import check_url

OVERLAP = timedelta(hours=24)
"""After a rotation messages are signed with the secret before as well for so long."""
MOST_ATTEMPTS = 14
"""6 to 11 hours of attempts; then an event is dead, and the next ones of its watch go on."""
CLAIM = 50
CLAIM_SECONDS = 60.0
ROUND_SECONDS = 0.05
"""Under load new events are taken so often, many at once."""


def secret_of(key: bytes, watch: Watch, generation: int | None = None) -> str:
    """Return the signing secret of a watch, as its receiver needs it; nothing of it is stored."""
    named = f"{watch.id}:{watch.generation if generation is None else generation}".encode()
    return "whsec_" + base64.b64encode(hmac.digest(key, named, hashlib.sha256)).decode()


def signatures(key: bytes, watch: Watch, message_id: str, moment: datetime, body: str) -> str:
    """Return the value of ``webhook-signature``: of the secret in use and, after a rotation, of the one before."""
    generations = [watch.generation]
    if watch.rotated_at is not None and moment - watch.rotated_at < OVERLAP:
        generations.append(watch.generation - 1)
    return " ".join(Webhook(secret_of(key, watch, one)).sign(message_id, moment, body) for one in generations)


def message(batch: Batch) -> str:
    """Return the body: one event, or the events of a digest, as Standard Webhooks lays a payload out."""
    events = [
        {"type": event.kind, "timestamp": normal_time(event.at), "id": str(event.seq), "data": event.body}
        for event in batch.events
    ]
    if batch.watch.digest_minutes is None:
        return json.dumps({**events[0], "watch": batch.watch.id}, ensure_ascii=False)
    whole = {
        "type": "digest",
        "timestamp": events[-1]["timestamp"],
        "watch": batch.watch.id,
        "data": {"events": events},
    }
    return json.dumps(whole, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Runs on every replica; each takes batches that no other sends."""

    watches: WatchRepository
    open_session: Callable[[], aiohttp.ClientSession]
    key: bytes
    allow_private: bool
    ready: Callable[[], Awaitable[None]]
    idle_seconds: float = 1.0
    most_attempts: int = MOST_ATTEMPTS
    pause: Callable[[int], float] = field(default_factory=lambda: _pauses(Random()))

    async def run(self) -> None:
        """Send what is due until cancelled; at most ``CLAIM`` at once, and a slow receiver holds up its own watch."""
        await self.ready()
        sending: set[asyncio.Task[None]] = set()
        async with self.open_session() as session:
            try:
                while True:
                    found = await self._begin(session, sending)
                    await self._wait(sending, idle=not found)
            finally:
                for task in sending:
                    task.cancel()
                await asyncio.gather(*sending, return_exceptions=True)

    async def send_due(self, session: aiohttp.ClientSession) -> int:
        """Send the batches that are due now and return how many there were."""
        sending: set[asyncio.Task[None]] = set()
        found = await self._begin(session, sending)
        await asyncio.gather(*sending)
        return found

    async def _begin(self, session: aiohttp.ClientSession, sending: set[asyncio.Task[None]]) -> int:
        if len(sending) >= CLAIM:
            return 0
        batches = await self.watches.claim(CLAIM - len(sending), CLAIM_SECONDS)
        sending.update(asyncio.ensure_future(self._send(session, batch)) for batch in batches)
        return len(batches)

    async def _wait(self, sending: set[asyncio.Task[None]], *, idle: bool) -> None:
        """Wait until all of ``sending`` are done, a moment at most; idle until one is. Raises what they raised."""
        if not sending:
            await asyncio.sleep(self.idle_seconds)
            return
        when = asyncio.FIRST_COMPLETED if idle else asyncio.ALL_COMPLETED
        done, _ = await asyncio.wait(sending, timeout=self.idle_seconds if idle else ROUND_SECONDS, return_when=when)
        sending -= done
        for task in done:
            task.result()

    async def _send(self, session: aiohttp.ClientSession, batch: Batch) -> None:
        error = await self._post(session, batch)
        if error is None:
            await self.watches.delivered(batch)
        elif batch.attempts + 1 >= self.most_attempts:
            await self.watches.failed(batch, error, pause_seconds=None)
        else:
            await self.watches.failed(batch, error, pause_seconds=self.pause(batch.attempts))
        DELIVERIES.labels("delivered" if error is None else "failed").inc()

    async def _post(self, session: aiohttp.ClientSession, batch: Batch) -> str | None:
        """Return None when the receiver answered 2xx, else what was wrong."""
        url, moment, body = batch.watch.url or "", datetime.now(UTC), message(batch)
        headers = {
            "content-type": "application/json",
            "webhook-id": batch.id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signatures(self.key, batch.watch, batch.id, moment, body),
        }
        try:
            check_url(url, allow_private=self.allow_private)
            async with session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as answer:
                return None if 200 <= answer.status < 300 else f"the receiver answered {answer.status}"
        except Exception as error:
            # Whatever the address of one watch makes the client raise, the messages of the others go on.
            return f"{type(error).__name__}: {error}"


def _pauses(chance: Random) -> Callable[[int], float]:
    return lambda attempts: pause_seconds(attempts, chance)
