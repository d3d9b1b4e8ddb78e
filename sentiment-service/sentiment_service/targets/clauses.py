"""The part of a text that is about one target: mentions, reported speech, sentences, clauses, concession.

The functions are pure and work on tokens; each has its form in the text and a folded form (lower case, no accents,
`ñ` kept). A mention of the target is folded to ``TARGET``, a mention of another target to ``OTHER``. Names are compared
with `ñ` as `n`, as twitter-service compares them: people without the key write `Penalosa` for `Peñalosa`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from castor_chassis import fold, unescape
from sentiment_service.text.normalise import EMOJI, plain, split_hashtag

# Control characters, which no token has: `plain` makes them spaces.
TARGET, OTHER = "\x01", "\x02"
"""The folded form of a mention. Neither is white space, so that patterns count a mention as a word."""
_BETWEEN = "\x1f"
"""Stands between the tokens of a text that is searched for a name."""
_URL = re.compile(r"(?:https?://|\bwww\.)\S*", re.IGNORECASE)
_TAG = re.compile(r"(?<!\w)[#＃@＠](\w+)")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = frozenset(".!?;…\n")
_CONTRAST = (
    "en cambio",
    "por el contrario",
    "al contrario",
    "mientras que",
    "mientras",
    "pero",
    "sin embargo",
    "no obstante",
)
_OPENING, _CLOSING = frozenset('"“«'), frozenset('"”»')
_SAYS = (
    "dijo|dice|afirmo|afirma|aseguro|asegura|declaro|declara|sostuvo|sostiene|señalo|señala|critico|critica|denuncio|denuncia|"
    "pidio|pide|anuncio|anuncia|advirtio|advierte|explico|explica|manifesto|cuestiono|cuestiona|reitero|comento|opino|"
    "rechazo|lamento|condeno|exigio|acuso|invito|respondio"
)
_REPORTS = re.compile(
    rf" {TARGET} (?:tambien |ayer |hoy )?(?:{_SAYS})\b| (?:{_SAYS}) {TARGET} | segun {TARGET}[ ,]|^ {TARGET} : "
)
_CONCEDES = re.compile(r" (?:aunque|a pesar de|pese a|por mas|por muy|si bien|asi) ")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a sign or an emoji: as written, and folded."""

    form: str
    folded: str


Tokens = Sequence[Token]


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a raw text; hashtags and handles become their words, links are dropped."""
    clean = plain(_URL.sub(" ", plain(unescape(text))))
    clean = _TAG.sub(lambda match: split_hashtag(match[1]), clean).replace("...", "…").replace("\n", " . ")
    return [Token(form, fold(form)) for form in _TOKEN.findall(EMOJI.sub(r" \g<0> ", clean))]


# A text is asked for each of its targets in turn, and the longest has thousands of tokens.
@lru_cache(maxsize=8)
def read(text: str) -> tuple[tuple[Token, ...], str]:
    """Return the tokens of a raw text, and the line in which names are searched."""
    tokens = tuple(tokens_of(text))
    return tokens, _searched(tokens)


def is_named(text: str, name: str) -> bool:
    """Return whether a raw text has ``name`` among its words and those of its tags that capitals mark."""
    sought = tokens_of(name)
    return bool(sought) and _searched(sought) in read(text)[1]


def marked(tokens: Tokens, name: str, mark: str) -> list[Token]:
    """Return the tokens with every whole-word mention of ``name`` folded to ``mark``."""
    sought = tokens_of(name)
    found, end = list[Token](), 0
    for start in _places(_searched(tokens), _searched(sought)) if sought else ():
        found += tokens[end:start]
        end = start + len(sought)
        found.append(Token(" ".join(token.form for token in tokens[start:end]), mark))
    return [*found, *tokens[end:]]


def _searched(tokens: Tokens) -> str:
    return "".join(f"{_BETWEEN}{token.folded.replace('ñ', 'n')}" for token in tokens) + _BETWEEN


def _places(line: str, sought: str) -> Iterator[int]:
    """Yield before how many tokens each mention stands; none overlaps the one before it."""
    at, counted, tokens = line.find(sought), 0, 0
    while at >= 0:
        tokens += line.count(_BETWEEN, counted, at)
        yield tokens
        counted, at = at, line.find(sought, at + len(sought) - len(_BETWEEN))


def mentions(tokens: Tokens) -> bool:
    """Return whether the target is among the tokens."""
    return any(token.folded == TARGET for token in tokens)


def line(tokens: Tokens) -> str:
    """Return the folded tokens with single spaces between, before and after them, as the patterns match them."""
    return f" {' '.join(token.folded for token in tokens)} "


def written(tokens: Tokens) -> str:
    """Return the tokens as written, for the model."""
    return " ".join(token.form for token in tokens)


def sentences(tokens: Tokens) -> list[list[Token]]:
    """Cut at sentence ends outside quotes; the end sign stays with its sentence."""
    found, sentence, quoted = list[list[Token]](), list[Token](), False
    for token in tokens:
        if token.form in _OPENING | _CLOSING:
            quoted = not quoted
        sentence.append(token)
        if token.form in _SENTENCE_END and not quoted:
            found.append(sentence)
            sentence = []
    if sentence:
        found.append(sentence)
    return _joined(found)


def _joined(found: list[list[Token]]) -> list[list[Token]]:
    """Join signs without words to the sentence before them."""
    whole: list[list[Token]] = []
    for sentence in found:
        if whole and not any(token.form[0].isalnum() or token.folded in (TARGET, OTHER) for token in sentence):
            whole[-1].extend(sentence)
        else:
            whole.append(sentence)
    return whole


def unquoted(tokens: Tokens) -> list[Token]:
    """Drop what is between quotes, unless the target is named there."""
    found, inside = list[Token](), list[Token]()
    quoted = False
    for token in tokens:
        if token.form in _OPENING | _CLOSING:
            quoted = not quoted
            found += inside if not quoted and mentions(inside) else ()
            inside = []
        else:
            (inside if quoted else found).append(token)
    return found + inside


def reports(sentence: Tokens) -> bool:
    """Return whether the sentence tells what the target says."""
    return bool(_REPORTS.search(line(sentence)))


def concedes(clause: Tokens) -> bool:
    """Return whether the clause only concedes something (`aunque ...`)."""
    return bool(_CONCEDES.match(line(clause)))


def contrasts(sentence: Tokens) -> list[list[Token]]:
    """Cut a sentence before words of contrast (`pero`, `en cambio`, `mientras`)."""
    text = [token.folded for token in sentence]
    parts, start, index = list[list[Token]](), 0, 1
    while index < len(text):
        if length := _contrast_at(text, index):
            parts.append(list(sentence[start:index]))
            start = index = index + length
        else:
            index += 1
    return [part for part in (*parts, list(sentence[start:])) if any(token.form[0].isalnum() for token in part)]


def _contrast_at(text: Sequence[str], index: int) -> int:
    """Return the number of words of the contrast that begins here, 0 if none does."""
    phrases = (phrase.split() for phrase in _CONTRAST)
    return next((len(words) for words in phrases if text[index : index + len(words)] == words), 0)


def at_commas(tokens: Tokens) -> list[list[Token]]:
    """Cut at commas, colons and dashes."""
    runs = groupby(tokens, lambda token: token.form in {",", ":", "—", "–"})
    parts = [list(part) for is_cut, part in runs if not is_cut]
    return parts or [list(tokens)]


def at_joints(tokens: Tokens) -> list[list[Token]]:
    """Cut before `y`, `e` and relative `que` where another target is named on either side."""
    named = [(index, token.folded) for index, token in enumerate(tokens) if token.folded in (TARGET, OTHER)]
    first, last = {name: index for index, name in reversed(named)}, {name: index for index, name in named}
    cuts = [
        index
        for index in range(1, len(tokens) - 1)
        if tokens[index].folded in {"y", "e", "porque", "para"} and _differs(first, last, index)
    ]
    return _cut(tokens, cuts)


def _differs(first: Mapping[str, int], last: Mapping[str, int], at: int) -> bool:
    """Return whether other names stand before ``at`` than from it on; both sides have one at least."""
    left = {name for name, index in first.items() if index < at}
    right = {name for name, index in last.items() if index >= at}
    return bool(left) and bool(right) and left != right


def _cut(tokens: Tokens, cuts: Sequence[int]) -> list[list[Token]]:
    edges = [0, *cuts, len(tokens)]
    return [list(tokens[start:end]) for start, end in pairwise(edges) if start < end]


def names(tokens: Tokens) -> Iterator[Token]:
    """Yield mentions of other targets."""
    return (token for token in tokens if token.folded == OTHER)
