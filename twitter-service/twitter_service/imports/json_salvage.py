"""What can still be read of JSON that is broken: an escape, a field, or one object of a list costs only itself.

Used where a strict parser has refused a line, so speed does not matter here, but the work is bounded: after a broken
object at most ``MAX_RESTARTS`` places are tried as the beginning of the next one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

BROKEN = object()
"""Stands for an object of which nothing can be read."""
MAX_RESTARTS = 1_000
_REPLACEMENT = "\ufffd".encode()
_ESCAPE = re.compile(
    rb'(?P<good>\\["\\/bfnrt]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    rb"|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})|\\u[0-9a-fA-F]{4}|\\|[\x00-\x1f]"
)
_NOT_A_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(?P<bad>-?\b(?:NaN|Infinity)\b)', re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
# An object that is the value of a member, behind a colon, belongs to the tweet around it.
_RESTART = re.compile(r"[^:\s]\s*(?=\{)")
_BETWEEN = re.compile(r"[\s,]*")
_decoder = json.JSONDecoder(strict=False)


def repaired(line: bytes) -> bytes:
    """Return JSON with U+FFFD for broken escapes and lone surrogates, spaces for control characters, null for NaN."""
    mended = _ESCAPE.sub(_mend_escape, line)
    return _NOT_A_NUMBER.sub(lambda match: b"null" if match["bad"] else match[0], mended)


def _mend_escape(match: re.Match[bytes]) -> bytes:
    if match["good"]:
        return match[0]
    return b" " if match[0] < b" " else _REPLACEMENT


def objects(text: str, start: int, *, of_tweets: bool = True) -> Iterator[Any]:
    """Yield the values of a list from ``start`` on: of a broken object what can be read, or BROKEN.

    A bracket ends a list of tweets only where no other tweet follows in ``text``.
    """
    at: int | None = start
    while at is not None:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        if at == len(text) or (text[at] == "]" and not (of_tweets and next_tweet(text, at))):
            return
        found = value_at(text, at)
        # A string here is a stray quote and the beginning of what follows it, a list a stray bracket.
        if found and not isinstance(found[0], str | list):
            yield found[0]
            at = found[1]
        else:
            following = next_tweet(text, at)
            yield from of_broken(text[at:following].rstrip(", \n\r\t"))
            at = following


def members(text: str) -> dict[str, Any] | None:
    """Return the members of an object that can be read, without the broken ones; None where the object is cut."""
    bounds = _member_bounds(text)
    if bounds is None:
        return None
    found: dict[str, Any] = {}
    for start, end in pairwise(bounds):
        try:
            found.update(json.loads("{" + text[start + 1 : end] + "}", strict=False))
        except (ValueError, RecursionError):
            continue
    return found


def value_at(text: str, start: int) -> tuple[Any, int] | None:
    """Return the JSON value at ``start`` and where it ends; None where there is none."""
    try:
        return _decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None


def next_tweet(text: str, start: int) -> int | None:
    """Return where the next whole tweet of a list begins, None where none does."""
    for number, match in enumerate(_RESTART.finditer(text, start)):
        if number == MAX_RESTARTS:
            return None
        found = value_at(text, match.end())
        if found and _looks_like_tweet(found[0]):
            return match.end()
    return None


def _looks_like_tweet(value: Any) -> bool:
    return isinstance(value, dict) and "id" in value and ("text" in value or "full_text" in value)


def of_broken(text: str) -> Iterator[Any]:
    """Yield a value or BROKEN for each object in a text that holds a broken one or several in a row."""
    start = depth = 0
    for match in _TOKEN.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(match[0], 0)
        if depth == 0 and match[0] == "}":
            found = members(text[start : match.end()].lstrip(", \n\r\t"))
            yield BROKEN if found is None else found
            start = match.end()
    if text[start:].strip(", \n\r\t"):
        yield BROKEN


def _member_bounds(text: str) -> list[int] | None:
    """Return the positions of an object's brace, of the commas between its members, and of its closing brace."""
    depth = 0
    bounds: list[int] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token, 0)
        if depth == 1 and (token == "," or not bounds):
            bounds.append(match.start())
        elif depth <= 0:
            return [*bounds, match.start()] if bounds and not text[match.end() :].strip() else None
    return None
