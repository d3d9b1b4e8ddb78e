"""Parameters that several resources share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from castor_chassis import Timestamp
from trending_service.text.terms import MAX_TERM_CHARS

AsOf = Annotated[
    Timestamp | None,
    Query(
        description="Answer as if it were this moment; now by default. Later tweets are not seen. A moment outside "
        "2006 to 2100 is moved to the edge; the answer says which one was used."
    ),
]
TopicPath = Annotated[str, Path(min_length=1, max_length=MAX_TERM_CHARS, description="A topic; '#' is sent as %23.")]
MoreTerms = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=MAX_TERM_CHARS)]],
    Query(
        default_factory=list,
        max_length=50,
        description="Further terms of the topic ('terms' of a topic): a tweet with any counts once.",
    ),
]
