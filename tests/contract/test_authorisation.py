"""No route is open unless it says why."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from castor_chassis import ServiceSettings
from castor_chassis.security.authorization import requirement_of

SERVICES = ("auth", "forecast", "openai", "rag", "sentiment", "trending", "twitter")
LEAVE_THE_BODY = ("resources", "client", "large_body")
"""Dependencies that give a route its services, read headers, or set how large a body may be."""


def routes_of(service: str) -> list[Any]:
    """Return the routes of a service; nothing is started for it."""
    module = importlib.import_module(f"{service}_service.settings")
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, ServiceSettings)]
    (kind,) = [kind for kind in kinds if kind.service_name == f"{service}-service"]
    app = importlib.import_module(f"{service}_service.app").create_app(kind.model_construct())
    return list(app.state.chassis.routes)


def requirements(dependant: Any) -> Iterator[str]:
    """Yield what the dependencies of a route demand, however deep they stand."""
    for dependency in dependant.dependencies:
        found = requirement_of(dependency.call)
        if found is not None:
            yield found
        yield from requirements(dependency)


def in_order(dependant: Any) -> Iterator[Any]:
    """Yield the dependencies of a route in the order in which they run."""
    for dependency in dependant.dependencies:
        yield from in_order(dependency)
        yield dependency


def may_read_the_body(dependency: Any) -> bool:
    """Return whether a dependency is given the whole request and is none of those known to leave its body alone."""
    return bool(dependency.request_param_name) and getattr(dependency.call, "__name__", "") not in LEAVE_THE_BODY


@pytest.mark.parametrize("service", SERVICES)
def test_the_permission_comes_before_the_body(service: str) -> None:
    """Nothing that could read the body of a request runs before what says whether its sender may send one."""
    for route in routes_of(service):
        first = next(one for one in in_order(route.dependant) if may_read_the_body(one))
        assert requirement_of(first.call), f"{route.methods} {route.path} runs {first.call} before the permission"


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_demands_a_scope_or_says_why_not(service: str) -> None:
    """Each route has a scope, or is marked public with its reason; none has both."""
    routes = routes_of(service)
    assert routes
    for route in routes:
        demanded = set(requirements(route.dependant))
        assert len(demanded) == 1, f"{route.methods} {route.path} demands {demanded or 'nothing'}"
