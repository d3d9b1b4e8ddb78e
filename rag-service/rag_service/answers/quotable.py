"""The sentences of a document that can be quoted: whole, without the addresses and hashtags at their end, and what each
is worth by its words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from castor_chassis import fold
from rag_service.answers.citations import Citation
from rag_service.documents.model import Document
from rag_service.text.sentences import sentences
from rag_service.text.terms import Term, keys_of
from rag_service.text.verbatim import MINIMUM_QUOTE_CHARACTERS
from rag_service.text.words import words_of

LONGEST_QUOTE = 400
SHORT_QUOTE, LONGEST_EXTENDED_QUOTE = 32, 240
"""A quote of fewer characters than the first is told with the next sentence, up to the second."""
_TOKEN = re.compile(r"\S+")
_OF_TAIL = re.compile(r"https?://\S+|#\w+|[^\w\s.!?…\"”»)\]]+")
"""Addresses, hashtags and signs: what is left out at the end of a quote."""
_LEAD = re.compile(r"^(?:RT @\w+:\s*|\d{1,2}[.)]\s+|(?:@\w+\s+)++(?![a-záéíóúüñ])|[^\w\s\"“«¡¿(\[@#$€+−-]+\s*)+")
_LEAST_WORDS = 4
_LEANS = re.compile(
    r"^\W*(?:y|e|o|pero|ademas|tambien|asi|es[aeo]s?|est[aeo]s?|por es[ot]o?|sin embargo|sino|entonces|ahi|aqui|alli|"
    r"l[aeo]s?|ell[ao]s|que|porque|incluso|claro|mientras tanto)\b(?! (?:que|la|el) )"
)
_INVITES = re.compile(
    r"\b(?:(?:l[aeo]s?|te) (?:invit|esper|comparto|cuento|dejo|leo)\w*|en ?vivo|conect[ae]\w*|sintoni\w+|sigan\w*|"
    r"acompan[ae]n?|vean?|mira[dn]?|lean?|escuch[ae]n?|comparte|rt si|hilo|rueda de prensa|a las \d+|"
    r"buen[ao]s (?:dias|tardes|noches)|gracias|felicit\w+|abrazo)\b"
)
_TITLE = re.compile(
    r"^\W*(?:est[ae] es )?(?:nuestr[ao]|mi) (?:apuesta|carta|plan|programa|propuesta)\b[^.:]*$|^atencion\b"
)
_LINK = re.compile(r"(?:[:👇➡▶🔴]|https?://\S+)\W*$")
_END = 80
_FINAL = frozenset('.!?…"”»)')
LEANING, INVITING, LINKING, ASKING, SHORT, OPEN, EMPTY = 0.1, 0.2, 0.15, 0.1, 0.1, 0.05, 0.15
"""What it costs a sentence that it cannot be understood alone, calls people together or thanks them, leads to a link,
asks, says little or has no end; in the measure of cosines."""
LENGTH = 0.00005
"""What a character costs: of two that say the same the shorter is quoted."""
NUMBER = 0.15
_NUMBER = re.compile(r"\d|\b(?:mil|mill[oó]n|millones|billones|mitad|tercio)\b")
HOLDING = 0.25
"""What holding all words of the question counts, in the same measure; and for those of the group a third of it."""


def quotable(document: Document) -> list[Citation]:
    """Return the sentences of a document that can be quoted, in their order.

    Those of fewer than four words, and those too long, are among them only where there are no others.
    """
    spans = list(sentences(document.text))
    found = [citation for span in spans if (citation := _citation(document, *span)) is not None]
    whole = [_whole(document, one, spans) for one in found]
    return [
        one for one in whole if len(words_of(one.quote)) >= _LEAST_WORDS and len(one.quote) <= LONGEST_QUOTE
    ] or whole


def worth(quote: str, asked: Sequence[Term], group: frozenset[str], *, counted: bool = False) -> float:
    """Return what a sentence is worth by its words: those of the question, of the group, and what speaks against it.

    Where a number is asked for (``counted``), one without a number says little.
    """
    keys = keys_of([quote])
    held = sum(term.within(keys) for term in asked) / max(1, len(asked))
    of_group = min(3, len(group & keys)) / 3
    numberless = NUMBER if counted and not _NUMBER.search(quote) else 0.0
    return HOLDING * (held + of_group / 3) - numberless - sum(_faults(quote)) - len(quote) * LENGTH


def _faults(quote: str) -> Iterator[float]:
    folded = fold(quote, keep_enye=False)
    if _LEANS.search(folded):
        yield LEANING
    if _INVITES.search(folded) or _TITLE.search(folded):
        yield INVITING
    if _LINK.search(quote[-_END:]):
        yield LINKING
    if quote.rstrip().endswith("?"):
        yield ASKING
    if len(quote) < SHORT_QUOTE:
        yield SHORT
    if len(words_of(quote)) < _LEAST_WORDS:
        yield EMPTY
    if quote.rstrip()[-1:] not in _FINAL:
        yield OPEN


def _whole(document: Document, quoted: Citation, spans: Sequence[tuple[int, int]]) -> Citation:
    return quoted if len(quoted.quote) >= SHORT_QUOTE else _with_next(document, quoted, spans)


def _with_next(document: Document, quoted: Citation, spans: Sequence[tuple[int, int]]) -> Citation:
    """Return a short quote together with the sentence that follows it on the same line, which tells what it means."""
    place = bisect_left(spans, (quoted.end,))
    if place == len(spans) or document.text[quoted.end : spans[place][0]] != " ":
        return quoted
    longer = _citation(document, quoted.start, spans[place][1])
    return longer if longer is not None and len(longer.quote) <= LONGEST_EXTENDED_QUOTE else quoted


def _citation(document: Document, start: int, end: int) -> Citation | None:
    lead = _LEAD.match(document.text[start:end])
    begin = start + (lead.end() if lead else 0)
    stop = begin + _tail_start(document.text[begin:end])
    # What is nothing but addresses and hashtags is quoted as it is.
    begin, stop = (begin, stop) if words_of(document.text[begin:stop]) else (start, end)
    quote = document.text[begin:stop]
    if not words_of(quote) or (len(quote) < MINIMUM_QUOTE_CHARACTERS and quote != document.text.strip()):
        return None
    return Citation(document.id, quote, begin, stop)


def _tail_start(text: str) -> int:
    """Return where the addresses, hashtags and signs at the end of ``text`` begin; its first token is none of them."""
    tokens = list(_TOKEN.finditer(text))
    kept = len(tokens)
    while kept > 1 and _OF_TAIL.fullmatch(text, *tokens[kept - 1].span()):
        kept -= 1
    return len(text) if kept == len(tokens) else tokens[kept - 1].end()
