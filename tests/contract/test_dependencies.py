"""No request waits for a thread before its work begins."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.test_authorisation import SERVICES, routes_of


def calls(dependant: Any) -> Iterator[Any]:
    """Yield what a route and its dependencies call, however deep they stand."""
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from calls(dependency)


def is_async(call: Any) -> bool:
    """Return whether calling it gives something to await."""
    called = call if inspect.isroutine(call) else type(call).__call__
    return inspect.iscoroutinefunction(called)


@pytest.mark.parametrize("service", SERVICES)
def test_no_dependency_runs_in_a_thread(service: str) -> None:
    """FastAPI runs plain functions in threads, which costs every request milliseconds on a busy processor."""
    for route in routes_of(service):
        for call in calls(route.dependant):
            assert is_async(call), f"{route.path}: make {getattr(call, '__name__', call)} an `async def`"
