"""Queries in the language of X search, built from parts so that no user text can become an operator.

Source of the syntax: "Build a query" in the documentation of X API v2. Parts of one query are joined by a blank
(AND binds tighter than OR), so alternatives stand in parentheses. Inside double quotes everything is text;
the language has no escape for a double quote, so it is taken out of what users send.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from castor_chassis import normal_form
from twitter_service.x.errors import EmptySearch, EmptyTerm, QueryTooLong

RECENT_LIMIT, ARCHIVE_LIMIT = 512, 1024
"""Characters that X allows in one query of recent search, and of full-archive search or a stream rule."""

_KEYWORDS = frozenset({"or", "and", "not"})
_WORD = re.compile(r"[^\W_]+")
_HASHTAG = re.compile(r"#[^\W\d_]\w*|#\w*[^\W\d_]\w*")
_MENTION = re.compile(r"@[A-Za-z0-9_]{1,15}")
_QUOTES = re.compile('["\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2036\u275d\u275e\u301d\u301e\u301f\uff02\\\\]')


@dataclass(frozen=True)
class Search:
    """What is looked for; at least one of the first seven is needed.

    ``any_of`` are alternatives; so are ``hashtags``, ``mentions`` and whatever ``voices`` write, with them.
    ``authors`` are alternatives among themselves. All groups must hold together with every one of ``all_of``
    and none of ``none_of``.
    """

    any_of: Sequence[str] = ()
    all_of: Sequence[str] = ()
    hashtags: Sequence[str] = ()
    mentions: Sequence[str] = ()
    voices: Sequence[str] = ()
    authors: Sequence[str] = ()
    location: str | None = None
    none_of: Sequence[str] = ()
    lang: str | None = None
    with_retweets: bool = False


def queries(search: Search, limit: int = RECENT_LIMIT) -> list[str]:
    """Return the fewest queries of at most ``limit`` characters that together mean ``search``.

    Alternatives are dealt out in order; each query repeats what must hold in any case. A tweet may match
    several of them. Raises ``EmptySearch``, ``EmptyTerm`` or ``QueryTooLong``.
    """
    alternatives, authors, fixed, modifiers = _parts(search)
    if not (alternatives or authors or fixed):
        raise EmptySearch
    room = limit - _length(" ".join([*fixed, *modifiers])) - 2
    author_groups = _dealt(authors, room if not alternatives else room // 2)
    longest = max((_length(group) for group in author_groups), default=0)
    groups = _dealt(alternatives, room - longest - 1 if longest else room)
    built = [
        " ".join(part for part in (group, author_group, *fixed, *modifiers) if part)
        for group in groups or [""]
        for author_group in author_groups or [""]
    ]
    if any(_length(query) > limit for query in built):
        raise QueryTooLong(limit=limit)
    return built


def _parts(search: Search) -> tuple[list[str], list[str], list[str], list[str]]:
    words = [term(text) for text in search.any_of]
    tags = [term("#" + text.lstrip("#")) for text in search.hashtags]
    mentions = [term("@" + text.lstrip("@")) for text in search.mentions]
    voices = [_account("from:", handle) for handle in search.voices]
    authors = [_account("from:", handle) for handle in search.authors]
    needed = [*search.all_of, *([search.location] if search.location else [])]
    modifiers = ["-" + term(text) for text in search.none_of]
    modifiers += [f"lang:{search.lang}"] if search.lang else []
    modifiers += [] if search.with_retweets else ["-is:retweet"]
    return (
        _unique([*words, *tags, *mentions, *voices]),
        _unique(authors),
        _unique(term(text) for text in needed),
        _unique(modifiers),
    )


def term(text: str) -> str:
    """Return one word, phrase, hashtag or mention as it stands in a query; raises ``EmptyTerm``."""
    cleaned = clean(text)
    if not any(character.isalnum() or unicodedata.category(character) == "So" for character in cleaned):
        raise EmptyTerm(term=text[:80])
    if _MENTION.fullmatch(cleaned) or _HASHTAG.fullmatch(cleaned):
        return cleaned
    if _WORD.fullmatch(cleaned) and cleaned.lower() not in _KEYWORDS:
        return cleaned
    return f'"{cleaned}"'


def clean(text: str) -> str:
    """Return ``text`` without what could end a phrase: quotes, backslashes, control and invisible characters."""
    normal = normal_form("NFC", _QUOTES.sub(" ", text))
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in normal)
    kept = (c for c in visible if c == "\u200d" or unicodedata.category(c) not in {"Cf", "Cs", "Cn", "Co"})
    return " ".join("".join(kept).split())


def _account(operator: str, handle: str) -> str:
    mention = clean("@" + handle.lstrip("@"))
    if not _MENTION.fullmatch(mention):
        raise EmptyTerm(term=handle[:80])
    return operator + mention[1:]


def _dealt(terms: Sequence[str], room: int) -> list[str]:
    """Deal ``terms`` out over groups of at most ``room`` characters: one term alone, several in parentheses."""
    groups: list[list[str]] = []
    size = 0
    for one in terms:
        more = _length(one) + len(" OR ")
        if not groups or size + more + len("()") > room:
            groups.append([])
            size = -len(" OR ")
        groups[-1].append(one)
        size += more
    return [group[0] if len(group) == 1 else f"({' OR '.join(group)})" for group in groups]


def _unique(terms: Iterable[str]) -> list[str]:
    return list({one.casefold(): one for one in reversed(list(terms))}.values())[::-1]


def _length(text: str) -> int:
    """Count as X may: an emoji beyond the basic plane is two."""
    return len(text.encode("utf-16-le")) // 2
