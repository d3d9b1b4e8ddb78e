"""A tweet to be stored: its fields, and the reason why a record is rejected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from twitter_service.matching.folding import composed

MAX_TEXT = 4_000
MAX_ID = 2**63 - 1
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
"""Zero of the clock in an id (2010-11-04T01:42:54.657Z); ids count milliseconds from it above bit 22."""
FIRST_SNOWFLAKE = 2**34
"""Ids below are sequential: they do not contain a time."""
_FIRST_YEAR = 2006
_LEAD = timedelta(days=1)
"""How far ahead of this machine's clock the clock of a source may be."""
_OLD_FORMAT = "%a %b %d %H:%M:%S %z %Y"
_ESCAPES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "#39": "'"}
_ESCAPED = re.compile("&(amp|lt|gt|quot|#39);")
_LINK = re.compile(r"/status(?:es)?/(\d+)")
# R, pandas and JSON write the words where a value is missing.
_HANDLE = re.compile(r"@?(?!(?:na|nan|none|null)$)([A-Za-z0-9_]{1,15})", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d")
_SLASHES = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:,?\s+(\d{1,2}):(\d\d)(?::(\d\d))?(?:\s*([AaPp])\.?\s*[Mm]\.?)?)?"
)
BOGOTA = timezone(timedelta(hours=-5))
"""Colombia has no summer time since 1993."""
_METRICS = frozenset(
    ("retweet_count", "reply_count", "like_count", "quote_count", "impression_count", "bookmark_count")
)


class Unusable(Exception):
    """A record is not a usable tweet; the message is the reason that the sender is given."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was left out; ``line`` is the physical line on which it begins, from 1."""

    line: int
    reason: str


class Author(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An author as a source describes it; None where the source says nothing."""

    id: str
    username: str
    created_at: datetime | None = None
    followers: int | None = None
    following: int | None = None
    tweets: int | None = None
    verified: bool | None = None
    has_bio: bool | None = None
    has_image: bool | None = None
    location: str | None = None


class NewTweet(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record that is a tweet. The versions of an edited tweet share its first id."""

    id: int
    username: str
    author_id: str | None
    created_at: datetime
    text: str
    lang: str | None = None
    metrics: dict[str, int] | None = None
    raw: str | None = None
    """JSON of the object as it came, without the tweets in it; None for CSV."""
    version_id: int = 0
    """Id of this version; 0: the tweet's own."""
    observed_at: datetime | None = None
    """When X gave this state; None where the source does not say."""
    places: tuple[str, ...] = ()
    place_source: str | None = None
    retweet_of: int | None = None
    original: NewTweet | None = None
    """The tweet that a retweet repeats, where the source includes it."""
    author: Author | None = None
    conversation_id: int | None = None
    """The tweet that its conversation began with; None where the source does not say."""
    reply_to: int | None = None
    """The tweet that it answers."""
    reply_to_username: str | None = None
    """Who wrote that one, where the source says so."""

    @property
    def version(self) -> int:
        """Id of this version."""
        return self.version_id or self.id


def tweet_of_fields(fields: Mapping[str, str], dates: str | None = None) -> NewTweet:
    """Return the tweet in one record of a table; ``dates``: see ``read_created_at``. Raises ``Unusable``."""
    if any("\x00" in value for value in fields.values()):
        raise Unusable("it holds a null character")
    link = _LINK.search(fields["id"])
    tweet_id = read_id(link[1] if link else fields["id"].strip().lstrip("'"))
    author_id = fields.get("author_id", "").strip().lstrip("'") or None
    return NewTweet(
        id=tweet_id,
        username=read_username(fields["username"], author_id),
        author_id=author_id,
        created_at=read_created_at(fields["created_at"].strip(), tweet_id, dates),
        text=read_text(fields["text"]),
        lang=read_lang(fields.get("lang")),
        metrics=_metrics_of_fields(fields),
        conversation_id=known_id(_bare(fields.get("conversation_id"))),
        reply_to=(reply_to := known_id(_bare(fields.get("reply_to")))),
        reply_to_username=known_handle(_bare(fields.get("reply_to_username"))) if reply_to else None,
    )


def read_id(value: Any) -> int:
    """Return a tweet id: a positive whole number that fits 63 bits."""
    if value is None or value == "":
        raise Unusable("id is missing")
    if type(value) is int and not 0 < value <= MAX_ID:
        raise Unusable(f"id is not between 1 and {MAX_ID}")
    text = str(value)
    if isinstance(value, bool | float) or not (text.isascii() and text.isdigit()):
        raise Unusable(
            f"id {text[:40]!r} is not a whole number (spreadsheets round long ids: format the column as text "
            "before the file is opened, or export it again)"
        )
    if len(text) > 19 or not 0 < int(text) <= MAX_ID:
        raise Unusable(f"id {text[:40]!r} is not between 1 and {MAX_ID}")
    return int(text)


def known_id(value: Any) -> int | None:
    """Return the id of another tweet, None where there is none or it cannot be read."""
    try:
        return read_id(value)
    except Unusable:
        return None


def known_handle(value: Any) -> str | None:
    """Return the handle of another account without its @, None where there is none: also for ``NA`` or ``null``."""
    match = _HANDLE.fullmatch(value.strip()) if isinstance(value, str) else None
    return match[1] if match else None


def _bare(value: str | None) -> str | None:
    return value.strip().lstrip("'") if value else None


def read_text(value: Any) -> str:
    """Return a tweet's text: composed (NFC), the escapes of HTML that X writes undone once; it may be empty."""
    if not isinstance(value, str):
        raise Unusable("text is missing")
    if len(value) > MAX_TEXT:
        raise Unusable(f"text has {len(value)} characters, more than {MAX_TEXT}")
    if "&" in value:
        value = _ESCAPED.sub(lambda match: _ESCAPES[match[1]], value)
    return composed(value)


def read_username(value: Any, author_id: str | None) -> str:
    """Return a handle without its @; ``id:<author id>`` where only the id is known, so that authors stay apart."""
    name = value.strip().lstrip("@") if isinstance(value, str) else ""
    if not name and author_id:
        name = f"id:{author_id}"
    if not name:
        raise Unusable("username is missing")
    if len(name) > 100:
        raise Unusable("username is longer than 100 characters")
    return name


def read_created_at(value: Any, tweet_id: int, dates: str | None = None) -> datetime:
    """Return when a tweet was written. Where the field is missing the time is read from the id.

    More than a day ahead of now is an error: such a tweet would be the newest of all for years.

    A time without a zone is UTC, as X writes it; a date without a time is the beginning of that day in Bogotá. Dates
    with slashes are read only where ``dates`` says in which order: ``dmy`` or ``mdy``.
    """
    if value is None or value == "":
        return _time_of_id(tweet_id)
    moment = _parsed(value, dates) if isinstance(value, str) else None
    if moment is None and isinstance(value, str) and _SLASHES.match(value) and dates is None:
        raise Unusable(
            f"created_at {value[:40]!r} may be day/month or month/day; send the file with dates=dmy or dates=mdy"
        )
    if moment is None:
        raise Unusable(f"created_at {str(value)[:40]!r} is not a time such as 2022-05-29T16:00:00Z")
    if moment.tzinfo is not UTC:
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if moment.year < _FIRST_YEAR:
        raise Unusable(f"created_at {value[:40]!r} is before {_FIRST_YEAR}, when X began")
    if _is_ahead(moment):
        raise Unusable(f"created_at {value[:40]!r} is in the future")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def read_time(value: Any) -> datetime | None:
    """Return a time as X writes it, None where it is missing or cannot be read."""
    try:
        return read_created_at(value, 0)
    except Unusable:
        return None


def read_lang(value: Any) -> str | None:
    """Return a language tag in lower case, None when there is none."""
    return value.strip().lower() or None if isinstance(value, str) and len(value) <= 35 else None


def snowflake_of(moment: datetime) -> int:
    """Return the lowest id that X could have assigned at ``moment``."""
    return max(0, int(moment.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22


def time_of_snowflake(tweet_id: int) -> datetime:
    """Return when an id was assigned."""
    return datetime.fromtimestamp(((tweet_id >> 22) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)


def _time_of_id(tweet_id: int) -> datetime:
    if tweet_id < FIRST_SNOWFLAKE:
        raise Unusable("created_at is missing")
    moment = time_of_snowflake(tweet_id)
    if _is_ahead(moment):
        raise Unusable(f"created_at is missing, and the time in the id, {moment:%Y-%m-%d}, is in the future")
    return moment


def _is_ahead(moment: datetime) -> bool:
    return moment > datetime.now(UTC) + _LEAD


def is_day(value: str) -> bool:
    """True for a date without a time."""
    match = _SLASHES.fullmatch(value.strip())
    return bool(match and match[4] is None) or _DAY.fullmatch(value.strip()) is not None


def _parsed(value: str, dates: str | None) -> datetime | None:
    if _SLASHES.match(value):
        return _of_slashes(value, dates)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        pass
    else:
        return moment.replace(tzinfo=BOGOTA) if _DAY.fullmatch(value) else moment
    try:
        return datetime.strptime(value, _OLD_FORMAT)
    except ValueError:
        return None


def _of_slashes(value: str, dates: str | None) -> datetime | None:
    """Read dates as spreadsheets show them: ``29/05/2022``, ``29/05/2022 4:07``, ``29/05/2022 4:07:00 p. m.``."""
    match = _SLASHES.fullmatch(value)
    if not match or dates is None:
        return None
    first, second, year, hour, minute, seconds, half = match.groups()
    day, month = (first, second) if dates == "dmy" else (second, first)
    late = 12 if half and half[0] in "pP" else 0
    hours = int(hour or 0) % 12 + late if half else int(hour or 0)
    try:
        moment = datetime(int(year), int(month), int(day), hours, int(minute or 0), int(seconds or 0))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC if hour else BOGOTA)


def metrics_of_object(value: Any) -> dict[str, int] | None:
    if not isinstance(value, dict):
        return None
    found = {
        name: count for name, count in value.items() if type(count) is int and name in _METRICS and 0 <= count <= MAX_ID
    }
    return found or None


def _metrics_of_fields(fields: Mapping[str, str]) -> dict[str, int] | None:
    found = {name: fields[name].strip() for name in _METRICS if name in fields}
    return {name: int(text) for name, text in found.items() if text.isdecimal() and len(text) < 19} or None
