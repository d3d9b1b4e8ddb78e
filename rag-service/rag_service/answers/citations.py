"""The verbatim gate: no quote leaves that does not stand, letter by letter, in the document it names.

A quote may differ from the stored text in Unicode composition (NFC) and in white space, in nothing else.
Joined fragments, ellipses, mended spelling and other documents' words do not pass; nor does prose with a
number that neither the cited documents nor the question hold, or with quotation marks around anything else.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

LEAST_CHARACTERS = 8
"""A shorter quote proves nothing, unless it is the whole document."""
_OPENING = re.compile(r'["“«]')
_CITATION = re.compile(r'["”»]\s*((?:\[[A-Za-z0-9_.:, -]{1,300}\]\s*)+)')
_ID = re.compile(r"[A-Za-z0-9_.:-]+")
_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)|\n")
_FORBIDDEN = re.compile(r'["“”«»\[\]]')
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Citation:
    """``quote`` is ``text[start:end]`` of the document, in code points."""

    id: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gated:
    """What may leave. ``text`` is empty when nothing may; ``removed`` counts the quotes that did not pass."""

    text: str
    citations: list[Citation]
    removed: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One claimed quote: where it stands in the answer, and what it proved to be (nothing: it failed)."""

    start: int
    end: int
    proved: list[Citation]

    def text(self) -> str:
        return f'"{self.proved[0].quote}" ' + " ".join(f"[{citation.id}]" for citation in self.proved)


class VerbatimText:
    """A text in which quotes are looked up; made once, asked often."""

    def __init__(self, text: str) -> None:
        self.text = text
        letters: list[str] = []
        spans: list[tuple[int, int]] = []
        for start, end, unit in _units(text):
            if not unit.isspace():
                letters += unit
                spans += [(start, end)] * len(unit)
            elif letters and letters[-1] == " ":
                spans[-1] = (spans[-1][0], end)
            else:
                letters.append(" ")
                spans.append((start, end))
        self._flat = "".join(letters)
        self._spans = spans

    def find(self, quote: str) -> tuple[int, int] | None:
        """Return (start, end) of ``quote`` in the text, or None when it does not stand there as whole words."""
        needle = _flat(quote)
        if len(needle) < LEAST_CHARACTERS and needle != self._flat.strip():
            return None
        place = self._flat.find(needle) if needle else -1
        while place >= 0:
            after = place + len(needle)
            if not self._cuts_word(place) and not self._cuts_word(after):
                return self._spans[place][0], self._spans[after - 1][1]
            place = self._flat.find(needle, place + 1)
        return None

    def _cuts_word(self, place: int) -> bool:
        return 0 < place < len(self._flat) and self._flat[place - 1].isalnum() and self._flat[place].isalnum()


def gate(answer: str, documents: Mapping[str, str], question: str = "") -> Gated:
    """Return of ``answer`` what is proved by ``documents`` (id -> stored text).

    A sentence whose quotes all hold is kept, with the quotes as they are stored. Of one in which
    something does not, the quotes that hold are kept and its prose is dropped; so is prose without a quote.
    """
    shelf = {name: VerbatimText(text) for name, text in documents.items()}
    pieces = list(_pieces(answer, shelf))
    lines = [_sentence(answer, group, shelf, question) for group in _by_sentence(answer, pieces)]
    proved = dict.fromkeys(citation for piece in pieces for citation in piece.proved)
    removed = sum(not piece.proved for piece in pieces)
    return Gated("\n".join(line for line in lines if line), list(proved), removed)


def _pieces(answer: str, shelf: Mapping[str, VerbatimText]) -> Iterator[_Piece]:
    before = 0
    for match in _CITATION.finditer(answer):
        end = match.start() + len(match.group().rstrip())
        ids = list(dict.fromkeys(_ID.findall(match.group(1))))
        yield _piece(answer, (before, match.start(), end), ids, shelf)
        before = end


def _piece(answer: str, bounds: tuple[int, int, int], ids: list[str], shelf: Mapping[str, VerbatimText]) -> _Piece:
    # Tweets hold quotation marks themselves, so the quote may begin at any of those before it: longest first.
    begin, close, end = bounds
    openings = [match.start() for match in _OPENING.finditer(answer, begin, close)]
    for opening in openings:
        proved = _proved(answer[opening + 1 : close], ids, shelf)
        if proved:
            return _Piece(opening, end, proved)
    return _Piece(openings[0] if openings else close, end, [])


def _proved(quote: str, ids: list[str], shelf: Mapping[str, VerbatimText]) -> list[Citation]:
    # Models copy the escapes of the fenced documents as often as they undo them.
    for reading in dict.fromkeys((quote, html.unescape(quote))):
        found = [(name, shelf[name].find(reading)) for name in ids if name in shelf]
        proved = [Citation(name, shelf[name].text[span[0] : span[1]], *span) for name, span in found if span]
        if proved and len(proved) == len(ids):
            return proved
    return []


def _by_sentence(answer: str, pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    group: list[_Piece] = []
    for piece in pieces:
        if group and _SENTENCE_END.search(answer, group[-1].end, piece.start):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _sentence(answer: str, group: list[_Piece], shelf: Mapping[str, VerbatimText], question: str) -> str:
    lead, between, tail = _prose(answer, group)
    known = " ".join([question, *(shelf[citation.id].text for piece in group for citation in piece.proved)])
    if all(piece.proved for piece in group) and _is_clean(" ".join([lead, *between, tail]), known):
        parts = [lead]
        for piece, following in zip(group, [*between, tail], strict=True):
            parts += [piece.text(), following]
        return "".join(parts).strip()
    return " ".join(piece.text() + "." for piece in group if piece.proved)


def _prose(answer: str, group: list[_Piece]) -> tuple[str, list[str], str]:
    before = answer[: group[0].start]
    ends = [match.end() for match in _SENTENCE_END.finditer(before.rstrip())]
    lead = before[ends[-1] if ends else 0 :]
    after = answer[group[-1].end :]
    stop = _SENTENCE_END.search(after)
    tail = after[: stop.end()] if stop else after
    return lead, [answer[one.end : other.start] for one, other in pairwise(group)], tail


def _is_clean(prose: str, known: str) -> bool:
    return not _FORBIDDEN.search(prose) and set(_NUMBER.findall(prose)) <= set(_NUMBER.findall(known))


def _flat(quote: str) -> str:
    return " ".join(unicodedata.normalize("NFC", quote).split())


def _units(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, NFC form) of the smallest parts of ``text`` that compose independently."""
    if unicodedata.is_normalized("NFC", text):
        yield from ((place, place + 1, letter) for place, letter in enumerate(text))
        return
    start = 0
    for place in range(1, len(text) + 1):
        part = text[start:place]
        if place == len(text) or _begins_anew(part, text[place]):
            yield start, place, unicodedata.normalize("NFC", part)
            start = place


def _begins_anew(part: str, letter: str) -> bool:
    if unicodedata.combining(letter):
        return False
    apart = unicodedata.normalize("NFC", part) + unicodedata.normalize("NFC", letter)
    return unicodedata.normalize("NFC", part + letter) == apart
