"""Field types of wire models that mean in Python what JSON Schema says."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints


def normal_time(moment: datetime) -> str:
    """Return ISO-8601 in UTC with ``Z`` and without a needless fraction."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")


def _no_bool_or_text(value: Any) -> Any:
    # Pydantic's lax mode takes true and "3" for numbers, JSON Schema does not.
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _aware_utc(value: Any) -> Any:
    # Pydantic's lax mode takes numbers for times; the contract says date-time.
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ValueError("must be an ISO-8601 time such as 2026-05-31T12:00:00Z")
    if value.tzinfo is None:
        raise ValueError("must name its offset, for example a final Z for UTC")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the range of years 1 to 9999") from error


def _composed(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _bounded_depth(value: Any, depth: int = 8) -> Any:
    if depth == 0:
        raise ValueError("must not be nested deeper than 8 levels")
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _bounded_depth(child, depth - 1)
    return value


Integer = Annotated[int, BeforeValidator(_no_bool_or_text)]
Number = Annotated[float, BeforeValidator(_no_bool_or_text), Field(allow_inf_nan=False)]
Timestamp = Annotated[datetime, BeforeValidator(_aware_utc), PlainSerializer(normal_time, return_type=str)]
# PostgreSQL cannot store the null character; the pattern says so in the contract as well.
_TEXT, _IDENTIFIER = r"^[^\x00]*$", r"^[A-Za-z0-9_.:-]{1,128}$"
PATTERNS = {
    _TEXT: "must not contain the null character",
    _IDENTIFIER: "must be 1 to 128 letters without accents, digits or characters of _ . : -",
}
"""What the patterns of our fields say in words."""
Text = Annotated[str, StringConstraints(pattern=_TEXT)]
Composed = BeforeValidator(_composed)
"""Composes text (NFC), so that the same word in two compositions is one, before patterns and lengths are checked."""
ComposedText = Annotated[Text, Composed]
Identifier = Annotated[str, StringConstraints(pattern=_IDENTIFIER)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(_bounded_depth)]
