"""Sentences that take a side for or against a target: patterns over folded tokens, in ``stance_patterns.txt``.

The sentiment of an attitude towards an event (`qué bueno que perdió §`) is the product of two signs: the attitude's,
and whether the event is good or bad for the target.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sentiment_service.targets.clauses import OTHER, TARGET

_NEGATIONS = frozenset({"no", "ni", "nunca", "jamas", "tampoco"})
_FEW = r"(?:\S+ ){0,4}?"
_TO = r"(?:a|al|a la|contra|de|del|de la|hacia|para) "


@dataclass(frozen=True, slots=True)
class Stance:
    """Whether a sentence is for (1) or against (-1) its target, and the kind of pattern that found it."""

    sign: int
    basis: str


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Return one compiled pattern for each section of the file."""
    text = files(__package__).joinpath("stance_patterns.txt").read_text(encoding="utf-8")
    sections: dict[str, list[str]] = {}
    for row in text.splitlines():
        if row.startswith("["):
            sections[row.strip("[]")] = []
        elif row.strip() and not row.startswith("#"):
            sections[list(sections)[-1]].append(row)
    words = {"few": _FEW, "to": _TO} | {
        name.removeprefix("words "): "|".join(" ".join(rows).split())
        for name, rows in sections.items()
        if name.startswith("words ")
    }
    named = {name: rows for name, rows in sections.items() if not name.startswith("words ")}
    return {name: re.compile(_filled("|".join(rows), words)) for name, rows in named.items()}


def _filled(pattern: str, words: dict[str, str]) -> str:
    whole = re.sub(r"<(\w+)>", lambda match: words[match[1]], pattern)
    return whole.replace("§", TARGET).replace("¤", OTHER)


def _found(section: str, text: str) -> re.Match[str] | None:
    return _patterns()[section].search(text)


def preference(text: str) -> Stance | None:
    """Return the side of a comparison or choice that the target is on, if the line has one."""
    if _found("unsurpassed", text):
        return Stance(1, "preference")
    rejects, prefers = _found("rejects", text), _found("prefers", text)
    if rejects and not (prefers and prefers.start() < rejects.start()):
        return Stance(-1, "preference")
    if prefers:
        return Stance(-1 if _negated(text, prefers) else 1, "preference")
    return None


def event(text: str) -> Stance | None:
    """Return the side that an attitude towards an event that concerns the target takes, if the line has both."""
    if _found("prevents", text):
        return Stance(-1, "event")
    happened, outcome = _happened(text)
    if happened is not None and (attitude := _attitude(text, happened.start())):
        return Stance(attitude * outcome * (-1 if _negated(text, happened) else 1), "event")
    return Stance(1, "event") if _found("exclaims", text) else None


def _happened(text: str) -> tuple[re.Match[str] | None, int]:
    """Return the event that concerns the target, and whether it is good (1) or bad (-1) for the target."""
    for section, outcome in (("spared", 1), ("harm", -1), ("help", 1)):
        if match := _found(section, text):
            return match, outcome
    return None, 0


def _attitude(text: str, before: int) -> int:
    """Return the sign of the last attitude expressed before an event, or else of the last after it; 0 if none is."""
    signs = (("glad", 1), ("sad", -1))
    found = [(match.start(), sign) for name, sign in signs for match in _patterns()[name].finditer(text)]
    earlier = [one for one in found if one[0] <= before]
    return max(earlier or found, default=(0, 0))[1]


def _negated(text: str, match: re.Match[str]) -> bool:
    left: Sequence[str] = text[: match.start() + 1].split()[-2:]
    return bool(_NEGATIONS & set(left))


def side(text: str) -> Stance | None:
    """Return the side that the writer takes explicitly, if the line has one."""
    for section, sign in (("cleared", 1), ("not_for", -1), ("opposes", -1), ("supports", 1)):
        if match := _found(section, text):
            turned = section in {"opposes", "supports"} and _negated(text, match)
            return Stance(-sign if turned else sign, "side")
    return None


def first(stances: Iterable[Stance | None]) -> Stance | None:
    """Return the first that was found."""
    return next((stance for stance in stances if stance is not None), None)
