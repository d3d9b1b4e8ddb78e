"""Verifies the citations of a generated answer.

An answer cites as ``"quote" [id]``, with one or more ids. A quote is verified when it stands verbatim (see
``text/verbatim.py``) in every document it names. Joined fragments, ellipses, corrected spelling and words of other
documents are not verified. Prose is kept only in sentences whose quotes are all verified, and only when it has no
number or name that neither the cited documents nor the question hold (``evidence.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from castor_chassis import unescape
from rag_service.answers.evidence import Evidence
from rag_service.text.verbatim import VerbatimText

_OPENING = re.compile(r'["“«]')
_CITATION = re.compile(r'["”»]\s*((?:\[[A-Za-z0-9_.:, -]{1,300}\]\s*)+)')
_ID = re.compile(r"[A-Za-z0-9_.:-]+")
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++(?=\s|$)|\n")


@dataclass(frozen=True, slots=True)
class Citation:
    """``quote`` is ``text[start:end]`` of the document, in code points."""

    id: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class VerifiedAnswer:
    """The verified part of an answer; ``text`` is empty when no quote was verified.

    ``removed`` counts the quotes that were not.
    """

    text: str
    citations: list[Citation]
    removed: int


@dataclass(frozen=True, slots=True)
class _Claim:
    """One quote of an answer: where it stands there, and its citations (none: not verified)."""

    start: int
    end: int
    verified: list[Citation]

    def text(self) -> str:
        return f'"{self.verified[0].quote}" ' + " ".join(f"[{citation.id}]" for citation in self.verified)


def verify(
    answer: str, documents: Mapping[str, str], question: str = "", authors: Mapping[str, str] | None = None
) -> VerifiedAnswer:
    """Return what ``documents`` (id -> stored text), with their ``authors``, verify of ``answer``.

    A sentence whose quotes and prose are all verified is kept, each quote as it is stored. Of any other sentence only
    the verified quotes are kept. Sentences without a quote are dropped.
    """
    texts = {name: VerbatimText(text) for name, text in documents.items()}
    claims = list(_claims(answer, texts))
    evidence = Evidence(documents, authors or {}, question)
    sentences = [_sentence(answer, group, evidence) for group in _by_sentence(answer, claims)]
    verified = dict.fromkeys(citation for claim in claims for citation in claim.verified)
    removed = sum(not claim.verified for claim in claims)
    return VerifiedAnswer("\n".join(sentence for sentence in sentences if sentence), list(verified), removed)


def _claims(answer: str, texts: Mapping[str, VerbatimText]) -> Iterator[_Claim]:
    before = 0
    for match in _CITATION.finditer(answer):
        end = match.start() + len(match.group().rstrip())
        ids = list(dict.fromkeys(_ID.findall(match.group(1))))
        yield _claim(answer, (before, match.start(), end), ids, texts)
        before = end


def _claim(answer: str, bounds: tuple[int, int, int], ids: list[str], texts: Mapping[str, VerbatimText]) -> _Claim:
    # Tweets hold quotation marks themselves, so the quote may begin at any of those before it: longest first.
    begin, close, end = bounds
    openings = [match.start() for match in _OPENING.finditer(answer, begin, close)]
    for opening in openings:
        verified = _verified(answer[opening + 1 : close], ids, texts)
        if verified:
            return _Claim(opening, end, verified)
    return _Claim(openings[0] if openings else close, end, [])


def _verified(quote: str, ids: list[str], texts: Mapping[str, VerbatimText]) -> list[Citation]:
    # Documents reach the model with HTML escapes; models copy these as often as they undo them.
    for reading in dict.fromkeys((quote, unescape(quote))):
        found = [(name, texts[name].find(reading)) for name in ids if name in texts]
        verified = [Citation(name, texts[name].text[span[0] : span[1]], *span) for name, span in found if span]
        if verified and len(verified) == len(ids):
            return verified
    return []


def _by_sentence(answer: str, claims: list[_Claim]) -> Iterator[list[_Claim]]:
    group: list[_Claim] = []
    for claim in claims:
        if group and _SENTENCE_END.search(answer, group[-1].end, claim.start):
            yield group
            group = []
        group.append(claim)
    if group:
        yield group


def _sentence(answer: str, group: list[_Claim], evidence: Evidence) -> str:
    lead, between, tail = _prose(answer, group)
    cited = [citation.id for claim in group for citation in claim.verified]
    quoted = " ".join(citation.quote for claim in group for citation in claim.verified)
    prose = " ".join([lead, *between, tail])
    if all(claim.verified for claim in group) and evidence.supports(prose, cited, quoted):
        parts = [lead]
        for claim, following in zip(group, [*between, tail], strict=True):
            parts += [claim.text(), following]
        return "".join(parts).strip()
    return " ".join(claim.text() + "." for claim in group if claim.verified)


def _prose(answer: str, group: list[_Claim]) -> tuple[str, list[str], str]:
    before = answer[: group[0].start]
    ends = [match.end() for match in _SENTENCE_END.finditer(before.rstrip())]
    lead = before[ends[-1] if ends else 0 :]
    after = answer[group[-1].end :]
    stop = _SENTENCE_END.search(after)
    tail = after[: stop.end()] if stop else after
    return lead, [answer[one.end : other.start] for one, other in pairwise(group)], tail
