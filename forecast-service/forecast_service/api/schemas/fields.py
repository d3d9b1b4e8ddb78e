"""Field types that several resources share."""

from __future__ import annotations

from typing import Annotated

from castor_chassis import Pattern

DATASET = "Only tweets and entities of this data set; default: all that is stored."
_NAME = Pattern(
    r"^[a-z0-9][a-z0-9_-]{0,63}$",
    "must be 1 to 64 small letters without accents, digits, hyphens or underscores, and begin with a letter or digit",
)
DatasetName = Annotated[str, _NAME]
EntityId = Annotated[str, _NAME]
