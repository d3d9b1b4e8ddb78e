"""Days on which people talk for a known reason: Colombia's elections and public holidays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

ELECTIONS: Mapping[date, str] = {
    date(2010, 3, 14): "Elecciones de Congreso",
    date(2010, 5, 30): "Elección presidencial, primera vuelta",
    date(2010, 6, 20): "Elección presidencial, segunda vuelta",
    date(2011, 10, 30): "Elecciones regionales",
    date(2014, 3, 9): "Elecciones de Congreso",
    date(2014, 5, 25): "Elección presidencial, primera vuelta",
    date(2014, 6, 15): "Elección presidencial, segunda vuelta",
    date(2015, 10, 25): "Elecciones regionales",
    date(2016, 10, 2): "Plebiscito sobre los acuerdos de paz",
    date(2018, 3, 11): "Elecciones de Congreso y consultas",
    date(2018, 5, 27): "Elección presidencial, primera vuelta",
    date(2018, 6, 17): "Elección presidencial, segunda vuelta",
    date(2018, 8, 26): "Consulta anticorrupción",
    date(2019, 10, 27): "Elecciones regionales",
    date(2022, 3, 13): "Elecciones de Congreso y consultas",
    date(2022, 5, 29): "Elección presidencial, primera vuelta",
    date(2022, 6, 19): "Elección presidencial, segunda vuelta",
    date(2023, 10, 29): "Elecciones regionales",
    date(2026, 3, 8): "Elecciones de Congreso y consultas",
    date(2026, 5, 31): "Elección presidencial, primera vuelta",
    date(2026, 6, 21): "Elección presidencial, segunda vuelta",
    date(2027, 10, 31): "Elecciones regionales",
}
"""National election days, as the Registraduría Nacional set them."""


@dataclass(frozen=True, slots=True)
class Event:
    """A day of the calendar and its Spanish name."""

    date: date
    name: str
    kind: Literal["election", "holiday"]


def events_between(first: date, last: date) -> list[Event]:
    """Return the events of the days from ``first`` to ``last``, both included, in their order."""
    found = [event for year in range(first.year, last.year + 1) for event in _events_of(year)]
    return [event for event in found if first <= event.date <= last]


@lru_cache(maxsize=64)
def _events_of(year: int) -> tuple[Event, ...]:
    from holidays import country_holidays  # it takes a while to load

    elections = [Event(day, name, "election") for day, name in ELECTIONS.items() if day.year == year]
    holidays = [Event(day, name, "holiday") for day, name in country_holidays("CO", years=year, language="es").items()]
    return tuple(sorted([*elections, *holidays], key=lambda event: (event.date, event.name)))
