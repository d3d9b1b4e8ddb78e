"""Which metrics and labels a PromQL query names. It reads what we write, not all of PromQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_WORDS = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right|and|or|unless|bool|offset|inf|nan)\b")
_RANGE = re.compile(r"\[[^\]]*\]")
_SELECTOR = re.compile(r"(?<![\w:.])(?P<name>[a-zA-Z_:][\w:]*)(?![\w:])(?!\s*\()\s*(?:\{(?P<matchers>[^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*(\d+)")


@dataclass(frozen=True)
class Selector:
    """One series selector: its metric, and (label, operator, value) of its matchers."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Query:
    """What a query names."""

    selectors: tuple[Selector, ...]
    grouping: frozenset[str]
    """Labels by which it aggregates or joins."""


def parse(expression: str) -> Query:
    """Return what ``expression`` names. Strings are set aside first, since they may hold anything."""
    strings: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        strings.append(found.group()[1:-1])
        return str(len(strings) - 1)

    text = _STRING.sub(put_aside, expression)
    grouping = {label.strip() for part in _GROUPING.findall(text) for label in part.split(",") if label.strip()}
    text = _WORDS.sub(" ", _GROUPING.sub(" ", _RANGE.sub(" ", text)))
    return Query(tuple(_selectors(text, strings)), frozenset(grouping))


def _selectors(text: str, strings: list[str]) -> list[Selector]:
    found = []
    for match in _SELECTOR.finditer(text):
        matchers = _MATCHER.findall(match["matchers"] or "")
        found.append(
            Selector(match["name"], tuple((label, operator, strings[int(at)]) for label, operator, at in matchers))
        )
    return found
