"""Field types of wire models that mean in Python what JSON Schema says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from castor_chassis.text.folding import normal_form


def normal_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _no_bool_or_text(value: Any) -> Any:
    # Pydantic's lax mode takes true and "3" for numbers, JSON Schema does not.
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


OUTSIDE = "is outside the range of years 1 to 9999"


def moment_from(value: Any) -> datetime:
    """Return a time with its offset, of text or as it is; raises ``ValueError`` for numbers and anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise ValueError("must be an ISO-8601 time such as 2026-05-31T12:00:00Z")
    if value.tzinfo is None:
        raise ValueError("must name its offset, for example a final Z for UTC")
    return value


def _aware_utc(value: Any) -> Any:
    # Pydantic's lax mode takes numbers for times; the contract says date-time.
    try:
        return moment_from(value).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(OUTSIDE) from error


def _composed(value: Any) -> Any:
    return normal_form("NFC", value) if isinstance(value, str) else value


def _bounded_depth(value: Any, depth: int = 8) -> Any:
    if depth == 0:
        raise ValueError("must not be nested deeper than 8 levels")
    if isinstance(value, str):
        _whole_characters(value)
    elif isinstance(value, dict | list):
        for child in [*value, *value.values()] if isinstance(value, dict) else value:
            _bounded_depth(child, depth - 1)
    return value


def _whole_characters(text: str) -> None:
    # JSON can name half of a pair, which is no text: nothing can encode it. Pydantic refuses it in a str only.
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must not contain a lone surrogate (half of a character)") from error


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that a text must match, and what a caller whose text does not is told: "must be ..."."""

    expression: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the expression after everything that stands before it."""
        matched = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.expression), "pattern", custom_error_message=self.words
        )
        return core_schema.chain_schema([handler(source), matched])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Let the contract say the expression."""
        return {**handler(schema), "pattern": self.expression}


Integer = Annotated[int, BeforeValidator(_no_bool_or_text)]
Number = Annotated[float, BeforeValidator(_no_bool_or_text), Field(allow_inf_nan=False)]
Timestamp = Annotated[
    datetime,
    BeforeValidator(_aware_utc),
    PlainSerializer(normal_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
# PostgreSQL cannot store the null character; the pattern says so in the contract as well.
NO_NULL = Pattern(r"^[^\x00]*$", "must not contain the null character")
Text = Annotated[str, NO_NULL]
Composed = BeforeValidator(_composed)
"""Composes text (NFC), so that the same word in two compositions is one, before patterns and lengths are checked."""
ComposedText = Annotated[Text, Composed]
Identifier = Annotated[
    str,
    Pattern(r"^[A-Za-z0-9_.:-]{1,128}$", "must be 1 to 128 letters without accents, digits or characters of _ . : -"),
]
JsonObject = Annotated[dict[str, Any], BeforeValidator(_bounded_depth)]
