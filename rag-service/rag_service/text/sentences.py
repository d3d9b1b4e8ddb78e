"""Sentences of Spanish text: of tweets as much as of documents.

Libraries were tried: pysbd has had no release since 2021 and cuts "Núm. 45" and "a.m."; models of spaCy and Stanza are
larger than the service. What ends a sentence here is a short list of rules, held by a table of cases in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from castor_chassis import fold


def _listed(words: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", words))


_ABBREVIATIONS = _listed(
    "sr sra srta sres dr dra drs ing lic prof profa gral cnel cap sgto alm mons pbro hno hna sta sto san d da "
    "art arts num nums nro no pag pags p pp cap caps lit inc par ed eds vol vols fig tel ext cel av avda cra "
    "cll clle kra krr calle dg tv mz apto of dpto depto mpio km kms cm mts aprox etc ej vs ee uu eeuu ss rr "
    "ff aa jr cia ltda admon gob min minsalud pdte vpdte exc ilmo ud uds vd vds max prom st"
)
"""Folded words after which a point seldom ends a sentence."""
_ALWAYS_GO_ON = _listed("sr sra dr dra ing lic prof gral cnel art arts num nro pag pags av cra cll no")
"""Of them, those after which it never does, whatever follows."""
_CLOSING = "\"'”’»)\\]"
_END = re.compile(rf"(?<![.!?…])[.!?…]++[{_CLOSING}]*+(?=\s|$|[^\w\s.,;:!?…{_CLOSING}/@#&=_-])|\n+")
_LAST_WORD = re.compile(r"([^\W\d_]+)\.$")
_LISTED = re.compile(r"(?:^\s*|[,;:.(\n]\s*|\b[ye]\s)(\d{1,2})$")
_LONGEST_POINT = 600
"""So far from it the point before or after is looked for."""
_LOWER_START = re.compile(r"\s*+[,;:)]?+\s*+[a-záéíóúüñ]")
_NEAR = 200
"""Characters around the end of a line that are looked at; all of a long file at each line would take hours."""
_VISIBLE = re.compile(r"\S")
_TOKEN_START = re.compile(r"\S*$")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each sentence, in code points, without the white space around it.

    A number, an abbreviation, a URL, a handle and an emoji are never cut, nor what is listed off its number. A line
    that goes on in lower case after one without a final sign is one sentence with it; an ellipsis before lower case
    ends none.
    """
    start = 0
    for match in _END.finditer(text):
        if _ends(text, start, match):
            yield from _trimmed(text, start, match.end())
            start = match.end()
    yield from _trimmed(text, start, len(text))


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    sign, end = match.group(), match.end()
    goes_on = _LOWER_START.match(text, end, end + _NEAR) is not None
    if sign[0] == "\n":
        return len(sign) > 1 or not goes_on or _is_ended(text, start, match.start())
    if not sign.startswith(".") or sign.startswith("..."):
        return not goes_on
    token = text[max(start, match.start() - 40) : match.start()]
    if "://" in (_TOKEN_START.search(token) or match).group() and not text[end : end + 1].isspace() and end < len(text):
        return False
    return not goes_on and not _is_abbreviation(text, start, match) and not _counts_points(text, start, match)


def _is_ended(text: str, start: int, end: int) -> bool:
    return text[max(start, end - _NEAR) : end].rstrip()[-1:] in {".", "!", "?", "…", ":"}


def _counts_points(text: str, start: int, match: re.Match[str]) -> bool:
    """Return whether the point stands after the number of a listed point: one before or after it is listed too."""
    found = _LISTED.search(text[max(start, match.start() - 6) : match.start()])
    if found is None or match.group() != ".":
        return False
    number = int(found.group(1))
    before, after = rf"(?<!\d){number - 1}[.)] ", rf"(?<!\d){number + 1}[.)] "
    text_before = text[max(0, match.start() - _LONGEST_POINT) : match.start()]
    text_after = text[match.end() : match.end() + _LONGEST_POINT]
    return re.search(before, text_before) is not None or re.search(after, text_after) is not None


def _is_abbreviation(text: str, start: int, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return False
    found = _LAST_WORD.search(text[max(start, match.start() - 20) : match.end()])
    if found is None:
        return False
    word, end = fold(found.group(1), keep_enye=False), match.end()
    upcoming = _VISIBLE.search(text, end)
    if upcoming is None:
        return False
    if len(word) == 1:
        return found.group(1).isupper() or _follows_initial(text, match.start())
    following = upcoming.group()
    return (word in _ALWAYS_GO_ON and _is_title_or_number(word, following)) or (
        word in _ABBREVIATIONS and (following.isdigit() or following.islower())
    )


def _is_title_or_number(word: str, following: str) -> bool:
    # "no." is the abbreviation of a number only before one; else it is an answer.
    return following.isdigit() if word == "no" else following.isalnum()


def _follows_initial(text: str, place: int) -> bool:
    return text[max(0, place - 2) : place - 1] == "."


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if left < len(piece):
        yield start + left, start + len(piece.rstrip())
