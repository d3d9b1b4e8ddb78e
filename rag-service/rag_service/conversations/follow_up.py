"""Rewrites a question that leans on the one before it so that it stands alone. Rules, no model."""

from __future__ import annotations

import re

from castor_chassis import fold
from rag_service.text.periods import names_period, without_period
from rag_service.text.terms import Term, question_terms

_LEANS = re.compile(r"^\W*(?:y|o|pero|entonces)\b|\b(?:eso|esto|aquello|al respecto|ese tema|este tema|lo mismo)\b")
_OPENING = re.compile(r"^[\s¿¡]*(?:y|o|pero|entonces)\b[\s,]*", re.IGNORECASE)
_REFERENCE = re.compile(
    r"\b(?:de |sobre )?(?:eso|esto|aquello|ese tema|este tema|lo mismo)\b|\bal respecto\b", re.IGNORECASE
)
_PREPOSITION = re.compile(r"(?:sobre|del?|en|con)\b", re.IGNORECASE)
LONGEST = 1_000


def standalone(question: str, before: str | None) -> str:
    """Return ``question`` so that it is understood without ``before``, the question (standing alone) that it follows.

    "¿Y Fajardo?" takes the place of the name before, "¿Y en marzo?" that of its period, "¿Y sobre salud?" that of its
    topic; "¿qué dice de eso?" and a question without a subject get the subjects of the one before. A question that
    stands alone is left as it is.
    """
    terms = question_terms(question)
    if before is None or not (_leans(question) or not terms):
        return question
    rest = _OPENING.sub("", question).strip(" ?¿!¡.")
    if names_period(question) and not question_terms(without_period(question)):
        return _asked(f"{without_period(before).rstrip(' ?')} {rest}")
    if terms and all(term.name for term in terms) and _names(before):
        return _asked(_with_other_name(before, rest, terms))
    other_topic = _with_other_topic(before, rest)
    return _asked(other_topic or _with_subjects(rest, terms, before))


def _leans(question: str) -> bool:
    return _LEANS.search(fold(question, keep_enye=False)) is not None


def _names(question: str) -> list[Term]:
    terms = question_terms(question)
    return [term for term in terms if term.speaker] or [term for term in terms if term.name]


def _with_other_name(before: str, rest: str, terms: list[Term]) -> str:
    first, *others = _names(before)
    text = before
    for term in others:
        if term.speaker == first.speaker:
            text = re.sub(rf"\s*\b{re.escape(term.word)}\b", "", text, count=1)
    name = re.sub(r"^(?:a|de|en|el|la|para|según)\s+", "", rest, flags=re.IGNORECASE) if len(terms) < 4 else rest
    return re.sub(rf"\b{re.escape(first.word)}\b", lambda _: name, text, count=1)


def _with_other_topic(before: str, rest: str) -> str | None:
    preposition = _PREPOSITION.match(rest)
    if preposition is None or _REFERENCE.search(rest):
        return None
    places = [match.start() for match in re.finditer(rf"\b{preposition.group()}\b", before, re.IGNORECASE)]
    return before[: places[-1]] + rest if places else None


def _with_subjects(rest: str, terms: list[Term], before: str) -> str:
    kept = [term.word for term in question_terms(before) if not term.speaker and term not in terms]
    named = " ".join(kept)
    if not named:
        return rest
    replaced, times = _REFERENCE.subn(lambda _: f"de {named}", rest, count=1)
    return replaced if times else f"{rest}, sobre {named}"


def _asked(text: str) -> str:
    return f"¿{' '.join(text.strip(' ¿?').split())}?"[:LONGEST]
