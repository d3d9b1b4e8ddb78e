"""Field types and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from castor_chassis import (
    Composed,
    Identifier,
    Integer,
    JsonObject,
    Number,
    Pattern,
    Text,
    Timestamp,
    normal_time,
)


def test_times_are_utc_with_z() -> None:
    """Times leave in UTC with milliseconds and Z."""
    bogota = timezone(timedelta(hours=-5))
    assert normal_time(datetime(2026, 5, 31, 7, tzinfo=bogota)) == "2026-05-31T12:00:00.000Z"
    assert normal_time(datetime(2026, 5, 31, 7, 0, 0, 120_000, tzinfo=UTC)) == "2026-05-31T07:00:00.120Z"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Integer, True),
        (Integer, "3"),
        (Integer, 1.5),
        (Number, "1.0"),
        (Number, False),
        (Number, float("nan")),
        (Timestamp, 0),
        (Timestamp, "yesterday"),
        (Timestamp, "2026-05-31"),
        (Text, "a\x00b"),
        (Identifier, "a b"),
        (Identifier, ""),
    ],
)
def test_field_types_refuse_what_the_contract_does_not_name(kind: object, value: object) -> None:
    """Python's conversions do not widen the contract."""
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_json_objects_are_bounded_in_depth() -> None:
    """Free-form objects nest eight levels, not a hundred."""
    deep: dict[str, object] = {}
    for _ in range(100):
        deep = {"x": deep}
    adapter = TypeAdapter(JsonObject)
    assert adapter.validate_python({"a": {"b": [1, 2, {"c": None}]}})
    with pytest.raises(ValidationError):
        adapter.validate_python(deep)


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"\udfff": 1}, {"a": [{"b": "x\ud83d"}]}])
def test_json_objects_hold_whole_characters(value: dict[str, object]) -> None:
    """Half of a pair, which JSON can name, is refused wherever it is, and whole pairs are taken."""
    adapter = TypeAdapter(JsonObject)
    assert adapter.validate_python({"\U0001f600": ["\U0001f600"]})
    with pytest.raises(ValidationError, match="lone surrogate"):
        adapter.validate_python(value)


def test_a_pattern_says_in_words_what_it_takes() -> None:
    """The contract has the expression, the error its words; neither depends on bounds and composition beside it."""
    kind: Any = Annotated[str, Field(max_length=9), Pattern("^[a-zé]+$", "must be small letters"), Composed]
    adapter = TypeAdapter(kind)
    assert adapter.json_schema() == {"type": "string", "maxLength": 9, "pattern": "^[a-zé]+$"}
    assert adapter.validate_python("cafe\u0301") == "café"
    for wrong in ("A", "a\n", ""):
        with pytest.raises(ValidationError) as refused:
            adapter.validate_python(wrong)
        assert refused.value.errors()[0]["msg"] == "must be small letters"
