"""Types of fields and parameters that several resources share."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

from twitter_service.queries.service import BOGOTA

Label = Literal["positive", "neutral", "negative"]
TweetId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
TweetCursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,17}-[0-9]{1,19}$")]
Axis = Literal[
    "seguridad", "infraestructura", "gobernanza", "educacion", "salud", "igualdad", "paz", "economia", "medioambiente",
    "alimentacion",
]  # fmt: skip
PlaceSlug = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]
EntityId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
DatasetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


def _bogota_day(value: Any) -> Any:
    # A moment stands for the day it lies in where the tweets are read. Pydantic alone takes numbers for dates.
    if not isinstance(value, str) or _DATE.fullmatch(value):
        return value
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("must be a day such as 2022-05-29, or a moment with its offset")
    try:
        return moment.astimezone(BOGOTA).date()
    except OverflowError as error:
        raise ValueError("is outside the range of years 1 to 9999") from error


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[
    date,
    BeforeValidator(_bogota_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
