"""The sentences of a document that can be quoted: whole, without the addresses and hashtags at their end, and what each
is worth by its words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from castor_chassis import fold
from rag_service.answers.citations import Citation
from rag_service.documents.model import TWEET_SOURCE, Document
from rag_service.questions.form import NUMBERS, PROPOSALS, Form
from rag_service.text.sentences import sentences
from rag_service.text.terms import Term, keys_of
from rag_service.text.verbatim import MINIMUM_QUOTE_CHARACTERS
from rag_service.text.words import words_of

LONGEST_QUOTE = 400
SHORT_QUOTE, LONGEST_EXTENDED_QUOTE = 32, 280
"""A quote of fewer characters than the first is told with the next sentence; no quote of several has more than the
second."""
_TOKEN = re.compile(r"\S+")
_OF_TAIL = re.compile(r"https?://\S+|[^\w\s.!?…\"”»)\]]*#\w+|\(?\d{1,2}/\d{1,2}\)?|[^\w\s.!?…\"”»)\]]+")
"""Addresses, hashtags, the numbers of a thread and signs: what is left out at the end of a quote."""
_LEADS_ON = re.compile(
    r"(?<!\w)(?:a|ante|al|bajo|con|contra|del?|desde|en|entre|es|hacia|hasta|para|por|que|segun|sin|sobre|son|tras|"
    r"el|las?|los?|unos?|unas?|mis?|sus?|tus?|y|e|ni|o|u)[^\w.!?…:;,]*$"
)
"""A word whose sentence goes on with a hashtag, as in «voto por el #Pacto»."""
_LEAD = re.compile(
    r"^(?:RT @\w+:\s*|\d{1,2}[.)](?:\s+|(?=[A-ZÁÉÍÓÚÑ¿¡]))|(?:@\w+\s+)++(?![a-záéíóúüñ])|[^\w\s\"“«¡¿(\[@#$€+−-]+\s*)+"
)
_POINT = re.compile(r"(?:^|\s)\d{1,2}[.)]\s?")
_ADDRESS = re.compile(r"https?://")
_OF_SEVERAL = re.compile(r"https?://|\n")
"""What stands between the parts of a text that are told apart."""
_LEAST_WORDS = 4
_LEANS = re.compile(
    r"^\W*(?:y|e|o|pero|ademas|tambien|asi|es[aeo]s?|est[aeo]s?|por es[ot]o?|sin embargo|sino|entonces|ahi|aqui|alli|"
    r"lo|les?|ell[ao]s|que|porque|incluso|claro|mientras tanto)\b(?! (?:que|la|el) )"
)
_INVITES = re.compile(
    r"\b(?:(?:l[aeo]s?|te) (?:invit|esper|comparto|cuento|dejo|leo)\w*|en ?vivo|conect[ae]\w*|sintoni\w+|sigan\w*|"
    r"aqui (?:pueden|puedes|les|te)|conoz[ck]an?|rumbo a|feliz de estar|"
    r"acompan[ae]n?|vean?|mira[dn]?|lean?|escuch[ae]n?|comparte|rt si|hilo|rueda de prensa|a las \d+|"
    r"buen[ao]s (?:dias|tardes|noches)|gracias|felicit\w+|abrazo)\b"
)
_TITLE = re.compile(
    r"^\W*(?:est[ae] es )?(?:nuestr[ao]|mi) (?:apuesta|carta|plan|programa|propuesta)\b[^.:]*$|^atencion\b"
)
_LINK = re.compile(r"(?:[:👇➡▶🔴]|https?://\S+)\W*$")
_END = 80
_FINAL = frozenset('.!?…"”»)')
LEANING, INVITING, LINKING, ASKING, SHORT, OPEN, EMPTY = 0.1, 0.2, 0.15, 0.1, 0.15, 0.05, 0.15
"""What it costs a sentence that it cannot be understood alone, calls people together or thanks them, leads to a link,
asks, says little or has no end; in the measure of cosines."""
LENGTH = 0.00005
"""What a character costs: of two that say the same the shorter is quoted."""
FORMLESS = 0.25
"""What it costs that it has not the form that is asked for."""
HOLDING = 0.25
"""What holding all words of the question counts, in the same measure; and for those of the group a third of it."""


Wanted = Callable[[str], bool]


def _nothing(_: str) -> bool:
    return False


def quotable(document: Document, wanted: Wanted = _nothing) -> list[Citation]:
    """Return the sentences of a document that can be quoted, in their order, each with those beside it that belong to
    it: what it leans on, what leans on it or is listed by it, and what is ``wanted`` as well, up to a length.

    Those of fewer than four words, and those too long, are among them only where there are no others; none is twice.
    """
    whole = list(_wholes(document, wanted))
    return [
        one
        for one in dict.fromkeys(whole)
        if len(words_of(one.quote)) >= _LEAST_WORDS and len(one.quote) <= LONGEST_QUOTE
    ] or whole


def quotes_of(document: Document, wanted: Wanted = _nothing) -> list[Citation]:
    """Return a short tweet of one line whole, without the addresses and hashtags at its end: cut, it may lose whom or
    what it speaks of. Of another document return what is ``quotable``."""
    whole = _citation(document, 0, len(document.text)) if document.source == TWEET_SOURCE else None
    if whole is None or len(whole.quote) > LONGEST_EXTENDED_QUOTE or _OF_SEVERAL.search(whole.quote):
        return quotable(document, wanted)
    return [whole] if len(words_of(whole.quote)) >= _LEAST_WORDS else quotable(document, wanted)


def _wholes(document: Document, wanted: Wanted) -> Iterator[Citation]:
    """Yield each sentence with those beside it. What one that is wanted was told with is not looked at again, and what
    another was told with only if it is wanted: so each is read a few times, however many there are."""
    spans = list(sentences(document.text))
    told, told_wanted = 0, 0
    for span in spans:
        one = _citation(document, *span)
        if one is None or one.end <= told_wanted:
            continue
        about = wanted(one.quote)
        if not about and one.end <= told:
            continue
        whole = _whole(document, one, spans, wanted if about else _nothing)
        told, told_wanted = max(told, whole.end), whole.end if about else told_wanted
        yield whole


def worth(quote: str, asked: Sequence[Term], group: frozenset[str], *, form: Form | None = None) -> float:
    """Return what a sentence is worth by its words: those of the question, of the group, and what speaks against it.

    Where a ``form`` is asked for, numbers or proposals, one without it says little.
    """
    keys = keys_of([quote])
    held = sum(term.within(keys) for term in asked) / max(1, len(asked))
    of_group = min(3, len(group & keys)) / 3
    formless = FORMLESS if form is not None and not form.of(quote) else 0.0
    return HOLDING * (held + of_group / 3) - formless - sum(_faults(quote)) - len(quote) * LENGTH


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


def _whole(document: Document, quoted: Citation, spans: Sequence[tuple[int, int]], wanted: Wanted) -> Citation:
    """Return a quote with the sentences after and then before it that belong to it, while it is not too long."""
    last = bisect_left(spans, (quoted.end,))
    while last < len(spans) and _goes_on(document, quoted, spans[last], wanted):
        longer = _extended(document, quoted.start, spans[last][1])
        if longer is None or longer.end == quoted.end:
            break
        quoted, last = longer, last + 1
    first = bisect_left(spans, (quoted.start + 1,)) - 2
    while first >= 0 and _is_led_to(document, spans[first], quoted, wanted):
        longer = _extended(document, spans[first][0], quoted.end)
        if longer is None:
            break
        quoted, first = longer, first - 1
    return _with_its_number(document, quoted, spans[first + 1][0])


def _with_its_number(document: Document, quoted: Citation, start: int) -> Citation:
    """Return a quote with the number at its ``start``, which is left out of one point, when others follow."""
    number = document.text[start : quoted.start]
    if not (_POINT.match(number) and _POINT.search(quoted.quote)):
        return quoted
    return Citation(document.id, document.text[start : quoted.end], start, quoted.end)


def _goes_on(document: Document, quoted: Citation, after: tuple[int, int], wanted: Wanted) -> bool:
    """Return whether the sentence ``after`` a quote tells what it means: a short quote goes on within its line."""
    text = document.text[after[0] : after[1]]
    between = document.text[quoted.end : after[0]]
    if not _may_join(text, between):
        return False
    short = len(quoted.quote) < SHORT_QUOTE and between == " "
    leads_on = _LINK.search(text[: _tail_start(text)]) is not None
    if short or quoted.quote.endswith(":"):
        return True
    return not leads_on and (_leans(text) or wanted(text) or (wanted is not _nothing and _tells(text)))


def _is_led_to(document: Document, before: tuple[int, int], quoted: Citation, wanted: Wanted) -> bool:
    text = document.text[before[0] : before[1]]
    if not _may_join(text, document.text[before[1] : quoted.start]):
        return False
    return text.rstrip().endswith(":") or _leans(quoted.quote) or wanted(text)


def _may_join(text: str, between: str) -> bool:
    if len(text) > LONGEST_EXTENDED_QUOTE or words_of(between) or _ADDRESS.search(between):
        return False
    if _ADDRESS.search(text[: _tail_start(text)]):
        return False
    return bool(words_of(text)) and not _invites(text)


def _leans(text: str) -> bool:
    return _LEANS.search(fold(text, keep_enye=False)) is not None


def _tells(text: str) -> bool:
    """Return whether a sentence has a number or a proposal: what is quoted before it without it, says less."""
    return NUMBERS.of(text) or PROPOSALS.of(text)


def _invites(text: str) -> bool:
    return _INVITES.search(fold(text, keep_enye=False)) is not None


def _extended(document: Document, start: int, end: int) -> Citation | None:
    longer = _citation(document, start, end)
    return longer if longer is not None and len(longer.quote) <= LONGEST_EXTENDED_QUOTE else None


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
    """Return where the addresses, hashtags and signs at the end of ``text`` begin; its first token is none of them.

    A hashtag without which the sentence breaks off is not one of them.
    """
    tokens = list(_TOKEN.finditer(text))
    kept = len(tokens)
    while kept > 1 and _OF_TAIL.fullmatch(text, *tokens[kept - 1].span()):
        kept -= 1
    kept += _of_sentence([token.group() for token in tokens[max(0, kept - 1) :]])
    return len(text) if kept == len(tokens) else tokens[kept - 1].end()


def _of_sentence(tokens: Sequence[str]) -> int:
    """Return how many of the tokens after the first end its sentence: a hashtag with the signs before it, or none."""
    if not tokens or not _LEADS_ON.search(fold(tokens[0], keep_enye=False)):
        return 0
    number = next((number for number, token in enumerate(tokens) if number and re.search(r"\w", token)), 0)
    return number if "#" in tokens[number] and not _ADDRESS.match(tokens[number]) else 0
