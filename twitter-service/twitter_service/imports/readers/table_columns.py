"""Which columns of a table are the fields of a tweet: by our names, those of other tools, or as the sender says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from twitter_service.errors import BadColumns, MissingColumns, RepeatedColumn
from twitter_service.matching.folding import composed

Dates = Literal["dmy", "mdy"]
REQUIRED = ("id", "username", "created_at", "text")
SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = MappingProxyType({";": "semicolon", "\t": "tab", "|": "vertical bar"})

# The first name that a header has is taken. Of: X API v2, twarc-csv (author.username), academictwitteR
# (user_username), API v1.1 and mongoexport (id_str, user.screen_name), rtweet (status_id, screen_name), snscrape
# (date, rawContent, user.username), twint (tweet, language), scrapers of web pages, and headers in Spanish.
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("id_str", "id", "tweet_id", "status_id", "tweetid", "id_tweet", "tweet id", "id del tuit", "id_tuit",
               "tweet link", "link", "url", "enlace"),
        "username": ("username", "author.username", "user.username", "user_username", "author_username",
                     "user.screen_name", "user_screen_name", "screen_name", "usuario", "nombre_usuario",
                     "author handle", "handle", "twitter_name"),
        "created_at": ("created_at", "date", "datetime", "tweet creation date", "fecha", "fecha_hora", "fecha y hora"),
        "text": ("extended_tweet.full_text", "full_text", "text", "rawcontent", "content", "tweet", "tweet content",
                 "texto", "contenido", "mensaje", "tuit", "tweets"),
        "author_id": ("author_id", "author.id", "user.id_str", "user_id_str", "user.id", "user_id", "id_usuario"),
        "lang": ("lang", "language", "idioma"),
        "like_count": ("like_count", "public_metrics.like_count", "favorite_count", "likecount", "likes_count"),
        "retweet_count": ("retweet_count", "public_metrics.retweet_count", "retweetcount", "retweets_count"),
        "reply_count": ("reply_count", "public_metrics.reply_count", "replycount", "replies_count"),
        "quote_count": ("quote_count", "public_metrics.quote_count", "quotecount"),
        "conversation_id": ("conversation_id", "conversationid"),
        "reply_to": ("in_reply_to_status_id_str", "in_reply_to_status_id", "referenced_tweets.replied_to.id",
                     "reply_to_status_id", "inreplytotweetid", "in_reply_to_tweet_id", "reply_to"),
        "reply_to_username": ("in_reply_to_screen_name", "in_reply_to_username", "reply_to_screen_name",
                              "inreplytouser.username", "reply_to_username"),
    }
)  # fmt: skip
_SHOWN_CHARACTERS = 200
_PAIR = re.compile(r"\s*([a-z_]+)\s*:\s*(.+?)\s*")


@dataclass(frozen=True)
class TableOptions:
    """What the sender says about a table: header by field, and the order of day and month in dates with slashes."""

    columns: Mapping[str, str] = field(default_factory=dict)
    dates: Dates | None = None
    is_sheet: bool = False
    """See ``Recognised``."""


def columns_of(text: str | None) -> dict[str, str]:
    """Read ``id:Código,text:Tuit``: our field, and the header in the file. Raises ``BadColumns``."""
    found: dict[str, str] = {}
    for pair in text.split(",") if text else ():
        match = _PAIR.fullmatch(pair)
        if not match or match[1] not in NAMES:
            raise BadColumns(part=pair[:60], fields=", ".join(NAMES))
        found[match[1]] = match[2].lower()
    return found


def separator_of(line: str) -> str:
    """Return the separator of a header: the one that stands in it most often, a comma where none does."""
    return max(SEPARATORS, key=line.count)


def places_of(header: Sequence[str], options: TableOptions) -> dict[str, tuple[int, ...]]:
    """Return where each field stands; of several places the first that is not empty counts.

    Raises ``MissingColumns`` and ``RepeatedColumn``.
    """
    # A header may come in either composition, as columns= may.
    names = [composed(name.strip().strip('"').lower()) for name in header]
    found: dict[str, tuple[int, ...]] = {}
    for target, known in NAMES.items():
        wanted = (options.columns[target],) if target in options.columns else known
        taken = [name for name in wanted if name in names and not _is_of_another(name, names)]
        if len(taken) > 1 and "tweets" in taken:
            # Beside a text it counts the tweets of the author.
            taken.remove("tweets")
        if taken and names.count(taken[0]) > 1:
            raise RepeatedColumn(column=taken[0])
        if taken:
            several = taken if target == "text" else taken[:1]
            found[target] = tuple(names.index(name) for name in several)
    if {"date", "time", "timezone"} <= set(names) and "created_at" not in options.columns:
        found["created_at"] = tuple(names.index(name) for name in ("date", "time", "timezone"))
    if missing := [name for name in REQUIRED if name not in found]:
        raise MissingColumns(missing=", ".join(missing), header=", ".join(names)[:_SHOWN_CHARACTERS])
    return found


def _is_of_another(name: str, names: Sequence[str]) -> bool:
    """True for the id of the tweet that was answered, in a table of answers."""
    return name == "tweet_id" and "reply_id" in names
