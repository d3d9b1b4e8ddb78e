"""What ``start`` made, for the routes."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Depends, Request

T = TypeVar("T")


def provided(kind: type[T]) -> Any:
    """Return the dependency that gives a route what the service's ``start`` yielded.

    Once per service, beside the class: ``R = Annotated[Resources, provided(Resources)]``; a route then takes ``r: R``.
    A service that yields something else than ``kind`` raises ``TypeError`` at the first request.
    """

    async def resources(request: Request) -> T:
        found = request.app.state.resources
        if not isinstance(found, kind):
            raise TypeError(f"start() yielded {type(found).__name__}, the routes use {kind.__name__}")
        return found

    return Depends(resources)
