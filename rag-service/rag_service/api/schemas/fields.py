"""Field types and filters that several resources share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from castor_chassis import NO_NULL, SINCE, UNTIL, Composed, Number, Pattern, RequestModel, Since, Until

# Spelt out, because engines differ in what \s is.
_BLANK = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
NOT_BLANK = Pattern(rf"^[^\x00]*[^{_BLANK}][^\x00]*$", "must have a character that can be seen, and no null character")
Name = Annotated[str, StringConstraints(min_length=1, max_length=128), NO_NULL, Composed]
Words = Annotated[str, StringConstraints(max_length=2_000), NO_NULL, Composed]
Question = Annotated[str, StringConstraints(max_length=1_000), NOT_BLANK, Composed]
Origin = Annotated[
    Literal["feed", "upload", "file", "analysis"],
    Field(description="By which way it came, set by the server: the feed of tweets, a user, a file, another service."),
]
Voice = Literal["feed", "upload", "file"]
"""Origins of which answers tell what people say."""
HalfLife = Annotated[
    Number,
    Field(
        ge=0.1, le=3_650, description="Days after which a document counts half; age makes no difference when absent."
    ),
    WithJsonSchema({"type": "number", "minimum": 0.1, "maximum": 3650}),
]


class FiltersIn(RequestModel):
    """All that are given must hold."""

    source: Name | None = None
    author: Name | None = Field(None, description="Upper and lower case and a leading @ make no difference.")
    entity: Name | None = None
    since: Since | None = Field(None, description=f"Published then or later. {SINCE}")
    until: Until | None = Field(None, description=f"Published before. {UNTIL}")
    axis: Name | None = Field(None, description="Subject that twitter-service found in the tweet, for example 'salud'.")
    place: Name | None = Field(None, description="Place that twitter-service found in the tweet.")
    sentiment: Literal["positive", "neutral", "negative"] | None = None
    dataset: Name | None = Field(None, description="Data set that a tweet is in.")
    stored_by: Name | None = Field(None, description="Who stored it, as 'stored_by' of a document says.")
    origin: Voice | None = Field(None, description="By which way it came; with one, answers cite no analyses.")


class SearchFiltersIn(FiltersIn):
    """All that are given must hold."""

    origin: Origin | None = Field(None, description="By which way it came.")  # type: ignore[assignment]
