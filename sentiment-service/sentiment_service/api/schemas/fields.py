"""Fields that several resources share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MAX_CHARACTERS = 10_000

Tweet = Annotated[str, Field(max_length=MAX_CHARACTERS, description="A raw text; blank is allowed and unscored.")]
Windows = Annotated[
    int | None,
    Field(
        ge=2,
        description="In how many parts a text longer than the model can take was read: sentence by sentence, each "
        "counting by its length and by how far it is from neutral. Absent when it was read whole.",
    ),
]
Probability = Annotated[float, Field(ge=0, le=1)]
