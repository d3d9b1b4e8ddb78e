"""Query strings: what a route does not know, or takes once, is refused rather than overlooked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from starlette.requests import Request

from castor_chassis.wire.errors import Invalid

_known: WeakKeyDictionary[Any, dict[str, bool]] = WeakKeyDictionary()


def check_query(request: Request) -> None:
    """Raise ``Invalid`` for a query parameter that the route does not have, or that is given again.

    A misspelled filter would otherwise filter nothing, and of two values the last would be taken without a word.
    """
    if not request.scope["query_string"]:
        return
    known = _parameters(request.scope["route"])
    for name in request.query_params:
        if name not in known:
            offered = f"this route takes {', '.join(sorted(known))}" if known else "this route takes none"
            raise Invalid(field=f"query.{name}", reason=f"query.{name} is not known; {offered}")
        if not known[name] and len(request.query_params.getlist(name)) > 1:
            raise Invalid(field=f"query.{name}", reason=f"query.{name} is given more than once; give it once")


def _parameters(route: Any) -> dict[str, bool]:
    """Return the route's query parameters, and whether each may be repeated."""
    known = _known.get(route.endpoint)
    if known is None:
        known = _known[route.endpoint] = dict(_declared(route.dependant))
    return known


def _declared(dependant: Any) -> Iterator[tuple[str, bool]]:
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = model.model_fields.items()
            yield from ((field.alias or name, _is_list(field.annotation)) for name, field in fields)
        else:
            yield parameter.alias, _is_list(model)
    for each in dependant.dependencies:
        yield from _declared(each)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_is_list(option) for option in get_args(annotation))
