"""The id of a topic: the question that found it and its name, so that it can be asked for again at any time."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from castor_chassis import Invalid, NotFound, decode_cursor, encode_cursor
from trending_service.topics.model import Question

EARLIEST, LATEST = datetime(2006, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""There are no tweets outside, and windows around these moments stay within the range of ``datetime``."""
MOST_TOPICS = 50


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    key: str = Field(max_length=100)
    at: int = Field(ge=int(EARLIEST.timestamp()) * 1000, le=int(LATEST.timestamp()) * 1000)
    hours: int = Field(ge=1, le=720)
    least: int = Field(ge=2, le=10_000)
    scopes: list[str] = Field(max_length=8)


def topic_id(key: str, question: Question) -> str:
    """Return the id of the topic with the label ``key`` that ``question`` found."""
    named = _Named(
        key=key, at=int(question.as_of.timestamp() * 1000), hours=question.window_hours, least=question.min_tweets,
        scopes=list(question.scopes),
    )  # fmt: skip
    return encode_cursor(named.model_dump())


def read_topic_id(text: str) -> tuple[str, Question]:
    """Return the label and the question of an id; raises ``NotFound`` for a text that is no id of ours."""
    try:
        named = _Named.model_validate(decode_cursor(text))
    except (Invalid, ValidationError) as error:
        raise NotFound from error
    as_of = datetime.fromtimestamp(named.at / 1000, UTC)
    return named.key, Question(as_of, named.hours, MOST_TOPICS, named.least, tuple(named.scopes))
