"""Sentiment towards a target, which is not the sentiment of the text: `Qué bueno que perdió X` is negative for X.

For each target, the sentences that name it are matched with patterns that take a side (``stance_rules``), then their
clauses with words of known polarity. Where neither finds anything, the target is left for the model
(``PendingTarget``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sentiment_service.classifiers.base import Scores
from sentiment_service.classifiers.linear import LINEAR_MODEL
from sentiment_service.classifiers.linear_features import Lexicon, tokenize
from sentiment_service.targets import clauses
from sentiment_service.targets import stance_rules as stance
from sentiment_service.targets.clauses import OTHER, TARGET, Token
from sentiment_service.targets.model import ABSENT, PendingTarget, TargetSentiment
from sentiment_service.text.tags import spelled_out

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


@cache
def _lexicon() -> Lexicon:
    folders = (LINEAR_MODEL / "lexicon.txt", Path(__file__).parent / "stance_words.txt")
    return Lexicon.parse("\n".join(path.read_text(encoding="utf-8") for path in folders))


def scores_for(sign: int, confidence: float) -> Scores:
    """Return scores that give ``confidence`` to the label of that sign; 0 is neutral."""
    rest = 1 - confidence
    if sign == 0:
        return Scores(rest / 2, confidence, rest / 2)
    near, far = rest * 0.7, rest * 0.3
    return Scores(confidence, near, far) if sign > 0 else Scores(far, near, confidence)


def assess(text: str, target: str, others: Sequence[str]) -> TargetSentiment | PendingTarget:
    """Return the sentiment that the rules find, or what to ask the model; ``others`` are the text's other targets."""
    written = naming(text, target)
    if not clauses.is_named(written, target):
        return ABSENT
    tokens = _marked(written, target, others)
    whole = clauses.sentences(tokens)
    named = [sentence for sentence in whole if clauses.mentions(sentence)]
    found = [sentiment for sentence in named if (sentiment := _of_sentence(sentence, tokens))]
    if found:
        return min(found, key=lambda sentiment: sentiment.basis in {"words", "reported"})
    return PendingTarget(clauses.written(_scope(_own(named[-1])) if named else tokens))


def naming(text: str, target: str) -> str:
    """Return the text as it names the target: only in a hashtag or handle of one case, with that tag as words."""
    return text if clauses.is_named(text, target) else spelled_out(text, target)


def _marked(text: str, target: str, others: Sequence[str]) -> list[Token]:
    tokens = clauses.marked(clauses.read(text)[0], target, TARGET)
    for other in sorted(others, key=len, reverse=True):
        tokens = clauses.marked(tokens, other, OTHER)
    return tokens


def _of_sentence(sentence: list[Token], text: Sequence[Token]) -> TargetSentiment | None:
    outside = clauses.unquoted(sentence)
    if clauses.reports(sentence):
        return _of_report(outside)
    own = _own(outside)
    taken = _stance(own, outside)
    ironic = _ironic(own, text)
    if taken is not None and not (ironic and taken.sign > 0 and taken.basis == "side"):
        return TargetSentiment(scores_for(taken.sign, _SURE), taken.basis)  # type: ignore[arg-type]
    if ironic:
        return TargetSentiment(scores_for(-1, _LIKELY), "irony")
    balance = polarity(_scope(own))
    return TargetSentiment(scores_for(int(math.copysign(1, balance)), _LIKELY), "words") if balance else None


def _of_report(outside: Sequence[Token]) -> TargetSentiment:
    """Return the sentiment of a report: what the target says is not about it, what the writer adds is.

    For example `y todos sabemos que miente` after the quotation.
    """
    text = clauses.line(outside)
    added = re.search(r" (?:y|pero) (?:(?:todos|yo|ya) |me |tiene |es |la gente ).*$", text)
    balance = _balance(added.group()) if added else 0
    if balance:
        return TargetSentiment(scores_for(int(math.copysign(1, balance)), _LIKELY), "words")
    if re.search(r" (?:dijo|dice|hablo|habla) (?:la verdad|mentiras?|pura \w+|estupideces) ", text):
        return TargetSentiment(scores_for(-1 if re.search(r" mentir| estupid| pura ", text) else 1, _LIKELY), "words")
    return TargetSentiment(scores_for(0, _LIKELY), "reported")


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
    return tokenize(text.replace(TARGET, " ").replace(OTHER, " "), _lexicon()).polar


def _ironic(part: Sequence[Token], text: Sequence[Token]) -> bool:
    """Return whether praise stands beside a complaint or a mocking word, or the part begins with mockery."""
    line, praised = clauses.line(part), "+" in _polar(clauses.line(part))
    mocked = _IRONY.search(line) or _COMPLAINT.search(line) or _IRONY.search(clauses.line(text[-3:]))
    return bool(_MOCKING.search(line) or (praised and mocked))
