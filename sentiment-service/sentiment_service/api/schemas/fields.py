"""Fields that several resources share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MAX_CHARACTERS = 10_000

Tweet = Annotated[str, Field(max_length=MAX_CHARACTERS, description="A raw text; blank is allowed and unscored.")]
Probability = Annotated[float, Field(ge=0, le=1)]
