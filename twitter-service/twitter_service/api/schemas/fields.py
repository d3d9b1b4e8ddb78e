"""Types of fields and parameters that several resources share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from castor_chassis import Pattern

Label = Literal["positive", "neutral", "negative"]
TweetId = Annotated[str, Pattern(r"^[0-9]{1,19}$", "must be the number of a tweet, up to 19 digits")]
Axis = Literal[
    "seguridad", "infraestructura", "gobernanza", "educacion", "salud", "igualdad", "paz", "economia", "medioambiente",
    "alimentacion",
]  # fmt: skip
PlaceSlug = Annotated[
    str,
    StringConstraints(max_length=40),
    Pattern(
        r"^[a-z]+(-[a-z]+)*$",
        "must be the slug of a place, of small letters without accents and hyphens, such as norte-de-santander",
    ),
]
_NAME = Pattern(
    r"^[a-z0-9][a-z0-9_-]{0,63}$",
    "must be 1 to 64 small letters without accents, digits, hyphens or underscores, and begin with a letter or digit",
)
EntityId = Annotated[str, _NAME]
DatasetName = Annotated[str, _NAME]
AuthorName = Annotated[
    str,
    Pattern(r"^@?[A-Za-z0-9_:]{1,100}$", "must be a handle of 1 to 100 letters without accents, digits or underscores"),
]
Language = Annotated[
    str, Pattern(r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$", "must be the code of a language in small letters, such as es")
]
