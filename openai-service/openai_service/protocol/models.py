"""Fields that several wire models share, the model names that have a meaning here, and the list of models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from castor_chassis import Pattern, ResponseModel

DEFAULT = "default"
BUNDLED = "bundled"
BUNDLED_FAST = "bundled-fast"
EXTRACTIVE = "extractive"
ModelName = Annotated[
    str,
    Pattern(
        r"^[A-Za-z0-9_.:/@-]{1,128}$", "must be 1 to 128 letters without accents, digits or characters of _ . : / @ -"
    ),
]
# Follows the bounds in an annotation: before them it would turn integer bounds in the contract into floats.
NUMBER = BeforeValidator(lambda value: _only_numbers(value))


def _only_numbers(value: Any) -> Any:
    # Pydantic's lax mode takes true and "3" for numbers, JSON Schema does not.
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


class Model(ResponseModel):
    """A model that requests may name."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(ResponseModel):
    """The models that requests may name."""

    object: Literal["list"] = "list"
    data: list[Model]
