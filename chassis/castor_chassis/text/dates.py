"""Days as Spanish writes them."""

from __future__ import annotations

from datetime import date

MONTH_NAMES = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
"""From January on."""


def spanish_day(day: date) -> str:
    """Return a day in words: "3 de marzo de 2022"."""
    return f"{day.day} de {MONTH_NAMES[day.month - 1]} de {day.year}"
