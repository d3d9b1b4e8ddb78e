"""Failover and hedging: several targets for one call, in order, and two at once when the first is slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from castor_chassis import ServiceError
from openai_service.errors import UpstreamError, UpstreamRefused
from openai_service.metrics import FAILOVERS, HEDGES
from openai_service.upstreams.client import UpstreamClient

log = structlog.get_logger("castor.openai.failover")
T = TypeVar("T")
_ACCOUNT_STATUS = (401, 403, 404)
"""Refusals that concern our account at the provider, not the request."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model of a provider."""

    client: UpstreamClient
    model: str


Ask = Callable[[Target], Awaitable[T]]


async def first_answer(
    targets: Sequence[Target],
    ask: Ask[T],
    *,
    hedge_after_seconds: float | None,
    discard: Callable[[T], Awaitable[None]],
) -> T:
    """Return the answer of the first target that gives one.

    With ``hedge_after_seconds`` the second target is asked as well when the first has not answered by then, and the
    first answer of the two counts; ``discard`` gets the other if it arrives. Raises the last target's error, or
    without asking further an error that the next target would repeat.
    """
    if hedge_after_seconds is None or len(targets) < 2:
        return await _in_order(targets, ask)
    try:
        return await _raced(targets[0], targets[1], ask, hedge_after_seconds, discard)
    except UpstreamError as error:
        if not targets[2:] or not _is_worth_failover(error):
            raise
    return await _in_order(targets[2:], ask)


async def _in_order(targets: Sequence[Target], ask: Ask[T]) -> T:
    for target in targets[:-1]:
        try:
            return await ask(target)
        except UpstreamError as error:
            if not _is_worth_failover(error):
                raise
            _note(target, error)
    return await ask(targets[-1])


def _is_worth_failover(error: UpstreamError) -> bool:
    if not isinstance(error, UpstreamRefused):
        return True
    return error.details["upstream_status"] in _ACCOUNT_STATUS


def _note(target: Target, error: ServiceError) -> None:
    FAILOVERS.labels(target.client.name, error.code).inc()
    log.warning("failed_over", provider=target.client.name, code=error.code, reason=error.details.get("reason"))


async def _raced(
    first: Target, second: Target, ask: Ask[T], after_seconds: float, discard: Callable[[T], Awaitable[None]]
) -> T:
    running: set[asyncio.Future[T]] = {asyncio.ensure_future(ask(first))}
    try:
        winner = await _first_to_answer(running, first, second, ask, after_seconds)
    except BaseException:
        await _ended(running, discard)
        raise
    try:
        await _ended(running, discard)
    except BaseException:
        # The caller went away while the loser was being stopped, so nobody takes the winner's answer either.
        await asyncio.shield(discard(winner))
        raise
    return winner


async def _first_to_answer(
    running: set[asyncio.Future[T]], first: Target, second: Target, ask: Ask[T], after_seconds: float
) -> T:
    """Return the first success, and leave in ``running`` what still has to be stopped."""
    done, _ = await asyncio.wait(running, timeout=after_seconds)
    if done:
        running.clear()
        error = next(iter(done)).exception()
        if error is None:
            return next(iter(done)).result()
        if not isinstance(error, UpstreamError) or not _is_worth_failover(error):
            raise error
        _note(first, error)
    else:
        HEDGES.inc()
    running.add(asyncio.ensure_future(ask(second)))
    return await _winner(running)


async def _winner(running: set[asyncio.Future[T]]) -> T:
    """Return the first success and leave the others in ``running``; raises the last failure."""
    failure: BaseException | None = None
    while running:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            running.discard(one)
            failure = one.exception()
            if failure is None:
                return one.result()
    assert failure is not None
    raise failure


async def _ended(running: set[asyncio.Future[T]], discard: Callable[[T], Awaitable[None]]) -> None:
    """Stop all in a task of its own: a caller that goes away meanwhile must not leave an answer open."""
    await asyncio.shield(asyncio.ensure_future(_stop(running, discard)))


async def _stop(running: set[asyncio.Future[T]], discard: Callable[[T], Awaitable[None]]) -> None:
    for one in running:
        one.cancel()
    if running:
        await asyncio.wait(running)
    for one in running:
        if not one.cancelled() and one.exception() is None:
            await discard(one.result())
