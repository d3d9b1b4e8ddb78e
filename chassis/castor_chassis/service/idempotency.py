"""``Idempotency-Key``: a request that is sent again is answered as the first time, and does nothing more.

All that a route writes into PostgreSQL is one transaction with its answer, so a replica that dies in the middle leaves
nothing behind, and the next attempt begins anew. What a route does elsewhere is not undone.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Request
from fastapi.responses import Response

from castor_chassis.context import current_request
from castor_chassis.storage import idempotency_repository as kept_answers
from castor_chassis.storage.idempotency_repository import KeptAnswer
from castor_chassis.storage.postgres import OpenTransaction, Postgres
from castor_chassis.storage.sealing import Seal
from castor_chassis.wire.errors import IdempotencyInFlight, IdempotencyKeyReused
from castor_chassis.wire.fields import Pattern

IdempotencyKey = Annotated[
    str,
    Pattern(
        r"^[A-Za-z0-9._:-]{16,100}$",
        "must be 16 to 100 letters without accents, digits or characters of . _ : -, such as a new UUID",
    ),
]


class Replayed(Exception):
    """A request was answered before; ``answer`` is what it was answered."""

    def __init__(self, answer: Response) -> None:
        super().__init__("answered before")
        self.answer = answer


class Claim:
    """The right to answer a request, and the transaction in which it does what it does."""

    def __init__(self, transaction: OpenTransaction, secret: bytes, asked: bytes) -> None:
        self._transaction = transaction
        self._seal = Seal(secret)
        self._asked = asked

    @classmethod
    async def of(cls, postgres: Postgres, secret: bytes, asked: bytes) -> Claim:
        """Claim a request; raises ``Replayed``, ``IdempotencyInFlight`` or ``IdempotencyKeyReused``.

        ``secret`` is the key with its caller and route: only who knows it can read the kept answer.
        """
        claim = cls(await postgres.begin(), secret, asked)
        try:
            with claim._transaction.outages_named():
                await claim._check()
        except BaseException:
            await claim.release()
            raise
        return claim

    async def _check(self) -> None:
        db = self._transaction.connection
        if not await kept_answers.lock(db, self._seal.name):
            raise IdempotencyInFlight(retry_after_seconds=1)
        kept = await kept_answers.find(db, self._seal.name)
        if kept is None:
            return
        if kept.asked != self._asked:
            raise IdempotencyKeyReused
        body = self._seal.open(kept.body)
        assert body is not None, "an answer is kept under the name of what seals it"
        headers = {"Idempotency-Replayed": "true"}
        if kept.cache_control is not None:
            headers["Cache-Control"] = kept.cache_control
        raise Replayed(Response(body, kept.status, headers, media_type="application/json"))

    async def settle(self, status: int, cache_control: str | None, body: bytes) -> None:
        """Commit with the answer; an answer that says that nothing was done is not kept, and all is undone."""
        if not 200 <= status < 300:
            await self.release()
            return
        answer = KeptAnswer(self._asked, status, cache_control, self._seal.close(body))
        try:
            with self._transaction.outages_named():
                await kept_answers.keep(self._transaction.connection, self._seal.name, answer)
        except BaseException:
            await self.release()
            raise
        await self._transaction.end(commit=True)

    async def release(self) -> None:
        """Undo what was done."""
        await self._transaction.end(commit=False)


async def claim_request(
    request: Request,
    key: Annotated[
        IdempotencyKey | None,
        Header(
            alias="Idempotency-Key",
            description="A new UUID. The same key and request again, within 24 hours, are answered as the first time.",
        ),
    ] = None,
) -> None:
    """Begin a request that a repetition must not do again; stands after the parameter that authorises the caller."""
    info = current_request()
    if key is None or info is None:
        return
    assert info.principal is not None, "Once stands after the principal"
    scope = request.scope
    secret = repr((info.principal, request.method, request.url.path, key)).encode()
    asked = _digest(sorted(request.query_params.multi_items()), await request.body())
    info.claim = await Claim.of(scope["app"].state.chassis.postgres, secret, asked)


def _digest(query: list[tuple[str, str]], body: bytes) -> bytes:
    with suppress(orjson.JSONDecodeError):  # anything else is compared as it is
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(repr((query, body)).encode()).digest()


async def on_replayed(_request: Request, replayed: Any) -> Response:
    """Answer as the first time."""
    answer: Response = replayed.answer
    return answer


Once = Annotated[None, Depends(claim_request)]
"""A parameter, after the principal, of a route that takes an ``Idempotency-Key``; its service has the table."""
