"""Sentiment towards a target, which is not the sentiment of the text: `Qué bueno que perdió X` is negative for X.

For each target the sentences that name it are read: first for a side that is taken (``stance``), then clause by clause
with the words of known polarity, and where these are silent with the model's own view of the clause.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from sentiment_service.classifiers.linear import LINEAR_MODEL, Scores
from sentiment_service.classifiers.linear_features import Lexicon, read
from sentiment_service.targets import clauses
from sentiment_service.targets import stance_rules as stance
from sentiment_service.targets.clauses import OTHER, TARGET, Token

Basis = Literal["preference", "event", "side", "irony", "reported", "words", "model"]

_SURE, _LIKELY = 0.86, 0.74
_IRONY = re.compile(
    r" (?:jaja\w*|jeje\w*|🙄|🤡|🤣|😂|aja|ah claro|si , como no|claro que si|por nada|lastima que|puro cuento) "
)
_MOCKING = re.compile(r"^ (?:ah claro|aja|uy si|si , claro|si , como no)[ ,]")
_COMPLAINT = re.compile(
    r" (?:sin (?:luz|agua|gasolina|gas|plata|salud|empleo|trabajo|comida|internet|subsidios?|medicinas?|transporte)"
    r"|dejarnos|ni (?:un|una) |otra vez|cada (?:dia|vez) mas (?:pobres|caro|cara|lejos)|mas caro|subio|subieron"
    r"|impuestos?|a dedo|vacaciones|trancon\w*|huecos?|inseguridad) "
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """Sentiment towards one target: None for a target that is absent, and what it rests on."""

    scores: Scores | None
    basis: Basis | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is left to ask the model: its view of ``scope``, the part of the text that speaks about the target."""

    scope: str


ABSENT = Opinion(None)


@cache
def _lexicon() -> Lexicon:
    folders = (LINEAR_MODEL / "lexicon.txt", Path(__file__).parent / "stance_words.txt")
    return Lexicon.parse("\n".join(path.read_text(encoding="utf-8") for path in folders))


def towards(sign: int, confidence: float) -> Scores:
    """Return scores with ``confidence`` in the label of that sign (0 is neutral)."""
    rest = 1 - confidence
    if sign == 0:
        return Scores(rest / 2, confidence, rest / 2)
    near, far = rest * 0.7, rest * 0.3
    return Scores(confidence, near, far) if sign > 0 else Scores(far, near, confidence)


def assess(text: str, target: str, others: Sequence[str]) -> Opinion | Question:
    """Return the opinion that the words show, or what to ask the model; ``others`` are the text's other targets."""
    tokens = _marked(text, target, others)
    if not clauses.mentions(tokens):
        return ABSENT
    whole = clauses.sentences(tokens)
    named = [sentence for sentence in whole if clauses.mentions(sentence)]
    found = [opinion for sentence in named if (opinion := _of_sentence(sentence, tokens))]
    if found:
        return min(found, key=lambda opinion: opinion.basis in {"words", "reported"})
    return Question(clauses.written(_scope(_own(named[-1]))))


def _marked(text: str, target: str, others: Sequence[str]) -> list[Token]:
    tokens = clauses.marked(clauses.tokens_of(text), target, TARGET)
    for other in sorted(others, key=len, reverse=True):
        tokens = clauses.marked(tokens, other, OTHER)
    return tokens


def _of_sentence(sentence: list[Token], text: Sequence[Token]) -> Opinion | None:
    outside = clauses.unquoted(sentence)
    if clauses.reports(sentence):
        return _of_report(outside)
    own = _own(outside)
    taken = _stance(own, outside)
    ironic = _ironic(own, text)
    if taken is not None and not (ironic and taken.sign > 0 and taken.basis == "side"):
        return Opinion(towards(taken.sign, _SURE), taken.basis)  # type: ignore[arg-type]
    if ironic:
        return Opinion(towards(-1, _LIKELY), "irony")
    balance = polarity(_scope(own))
    return Opinion(towards(int(math.copysign(1, balance)), _LIKELY), "words") if balance else None


def _of_report(outside: Sequence[Token]) -> Opinion:
    """What a target says is not said about it; what the writer adds (`y todos sabemos que miente`) is."""
    text = clauses.line(outside)
    added = re.search(r" (?:y|pero) (?:(?:todos|yo|ya) |me |tiene |es |la gente ).*$", text)
    balance = _balance(added.group()) if added else 0
    if balance:
        return Opinion(towards(int(math.copysign(1, balance)), _LIKELY), "words")
    if re.search(r" (?:dijo|dice|hablo|habla) (?:la verdad|mentiras?|pura \w+|estupideces) ", text):
        return Opinion(towards(-1 if re.search(r" mentir| estupid| pura ", text) else 1, _LIKELY), "words")
    return Opinion(towards(0, _LIKELY), "reported")


def _stance(own: Sequence[Token], sentence: Sequence[Token]) -> stance.Stance | None:
    part, full = clauses.line(own), clauses.line(sentence)
    alone = full if not any(clauses.names(sentence)) else part
    return stance.first((stance.preference(full), stance.event(part), stance.side(part), stance.event(alone)))


def _own(sentence: list[Token]) -> list[Token]:
    """Return the part of a sentence that tells most about the target: after `pero`, or beside another target's."""
    parts = clauses.contrasts(sentence)
    part = next((part for part in reversed(parts) if clauses.mentions(part)), sentence)
    if not any(clauses.names(sentence)) and len(parts) > 1:
        part = parts[-1]
    joined = [one for one in clauses.at_joints(part) if clauses.mentions(one)]
    return joined[-1] if joined else part


def _scope(part: list[Token]) -> list[Token]:
    """Return the clauses whose words speak about the target."""
    pieces = clauses.at_commas(part)
    if any(clauses.concedes(piece) for piece in pieces) and len(pieces) > 1:
        pieces = [piece for piece in pieces if not clauses.concedes(piece)]
    elif any(any(clauses.names(piece)) for piece in pieces):
        pieces = [piece for piece in pieces if clauses.mentions(piece)] or pieces
    return [token for piece in pieces for token in piece]


def polarity(tokens: Sequence[Token]) -> int:
    """Return positive minus negative words, a negated word counting as its opposite."""
    return _balance(clauses.line(tokens))


def _balance(text: str) -> int:
    polar = _polar(text)
    return sum(polar.count(kind) for kind in ("+", "¬-")) - sum(polar.count(kind) for kind in ("-", "¬+"))


def _polar(text: str) -> list[str]:
    return read(text.replace(TARGET, " ").replace(OTHER, " "), _lexicon()).polar


def _ironic(part: Sequence[Token], text: Sequence[Token]) -> bool:
    """Return whether praise stands beside a complaint or a mocking word, or the part begins with mockery."""
    line, praised = clauses.line(part), "+" in _polar(clauses.line(part))
    mocked = _IRONY.search(line) or _COMPLAINT.search(line) or _IRONY.search(clauses.line(text[-3:]))
    return bool(_MOCKING.search(line) or (praised and mocked))
