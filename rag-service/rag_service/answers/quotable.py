"""The sentence of a document that answers best: whole, and without the addresses and hashtags at its end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag_service.answers.citations import Citation
from rag_service.documents.model import Document
from rag_service.text.sentences import sentences
from rag_service.text.terms import Term, keys_of
from rag_service.text.verbatim import MINIMUM_QUOTE_CHARACTERS
from rag_service.text.words import words_of

LONGEST_QUOTE = 400
SHORT_QUOTE, LONGEST_EXTENDED_QUOTE = 32, 240
"""A quote of fewer characters than the first is told with the next sentence, up to the second."""
_TAIL = re.compile(r"(?:\s+(?:https?://\S+|#\w+|[^\w\s.!?…\"”»)\]]+))+\s*$")
_LEAD = re.compile(r"^(?:RT @\w+:\s*|(?:@\w+\s+)+|[^\w\s\"“«¡¿(\[@#$€+−-]+\s*)+")
_LEAST_WORDS = 3


def best_sentence(document: Document, asked: Sequence[Term], group: frozenset[str]) -> Citation | None:
    """Return the sentence that holds most words of the question, then of the group; None when no sentence is one.

    A sentence of fewer than three words is quoted only when the document has no other.
    """
    spans = list(sentences(document.text))
    found = [citation for span in spans if (citation := _citation(document, *span)) is not None]
    if not found:
        return None
    best = max(found, key=lambda citation: (*_worth(citation.quote, asked, group), -citation.start))
    return best if len(best.quote) >= SHORT_QUOTE else _with_next(document, best, spans)


def _with_next(document: Document, quoted: Citation, spans: Sequence[tuple[int, int]]) -> Citation:
    """Return a short quote together with the sentence that follows it on the same line, which tells what it means."""
    following = next((span for span in spans if span[0] >= quoted.end), None)
    if following is None or document.text[quoted.end : following[0]] != " ":
        return quoted
    longer = _citation(document, quoted.start, following[1])
    return longer if longer is not None and len(longer.quote) <= LONGEST_EXTENDED_QUOTE else quoted


def _worth(quote: str, asked: Sequence[Term], group: frozenset[str]) -> tuple[bool, int, int]:
    keys = keys_of([quote])
    return (
        len(words_of(quote)) >= _LEAST_WORDS and len(quote) <= LONGEST_QUOTE,
        sum(term.within(keys) for term in asked),
        min(3, len(group & keys)),
    )


def _citation(document: Document, start: int, end: int) -> Citation | None:
    lead = _LEAD.match(document.text[start:end])
    begin = start + (lead.end() if lead else 0)
    tail = _TAIL.search(document.text[begin:end])
    stop = begin + tail.start() if tail else end
    # What is nothing but addresses and hashtags is quoted as it is.
    begin, stop = (begin, stop) if words_of(document.text[begin:stop]) else (start, end)
    quote = document.text[begin:stop]
    if not words_of(quote) or (len(quote) < MINIMUM_QUOTE_CHARACTERS and quote != document.text.strip()):
        return None
    return Citation(document.id, quote, begin, stop)
