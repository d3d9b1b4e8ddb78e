"""Times at both ends of the calendar, at every parameter that takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World

ENDS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-02T03:00:00-05:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
)
QUESTIONS = ("¿Qué dijeron de hospitales ayer?", "¿Hospitales en marzo?", "¿Hospitales en los últimos 900 meses?")


@pytest.mark.parametrize("moment", ENDS)
async def test_the_ends_of_the_calendar_are_answered_or_refused(world: World, moment: str) -> None:
    """An answer or a 422 that names the field, for filters, as_of and the time of a document, never a 500."""
    world.openai.down = True
    headers = world.headers
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("documents", {"documents": [{"id": "d", "text": "Hospitales", "source": "s", "published_at": moment}]})
    ]
    for name in ("since", "until"):
        bodies += [("search", {"query": "hospitales", "filters": {name: moment}})]
        bodies += [("query", {"question": question, "filters": {name: moment}}) for question in QUESTIONS]
    bodies += [("search", {"query": "hospitales", "as_of": moment})]
    bodies += [("query", {"question": question, "as_of": moment}) for question in QUESTIONS]
    for path, body in bodies:
        answer = await world.service.client.post(f"/v1/rag/{path}", json=body, headers=headers)
        assert answer.status_code in (200, 201, 422), (body, answer.text)
        assert answer.status_code != 422 or answer.json()["details"]["fields"]
