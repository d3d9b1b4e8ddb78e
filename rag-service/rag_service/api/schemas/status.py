"""Wire model of the status."""

from __future__ import annotations

from pydantic import Field

from castor_chassis import ResponseModel


class StatusOut(ResponseModel):
    """Where the index stands: ``documents`` = ``embedded`` + ``pending`` + ``refused``."""

    documents: int
    embedded: int
    pending: int
    refused: int = Field(description="Texts that the encoder refused; they are found by their words.")
    cursor: str = Field(description="Where the tweet feed is followed from.")
    model: str | None = Field(description="Whose embeddings are searched; null before the first.")
    changing_from: str | None = Field(
        None, description="Whose are searched beside them while documents are embedded anew; null at other times."
    )
