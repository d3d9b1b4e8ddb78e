"""No route is open unless it says why."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from castor_chassis import ServiceSettings
from castor_chassis.security.authorization import requirement_of

SERVICES = ("auth", "forecast", "openai", "rag", "sentiment", "trending", "twitter")


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


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_demands_a_scope_or_says_why_not(service: str) -> None:
    """Each route has a scope, or is marked public with its reason; none has both."""
    routes = routes_of(service)
    assert routes
    for route in routes:
        demanded = set(requirements(route.dependant))
        assert len(demanded) == 1, f"{route.methods} {route.path} demands {demanded or 'nothing'}"
