"""Extracts terms from a Spanish tweet: hashtags, mentions, words, short phrases. Spellings share a key."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from castor_chassis import fold, normalise
from trending_service.text.links import links_of

Kind = Literal["hashtag", "mention", "phrase", "entity", "link", "domain"]

WordKind = Literal["hashtag", "mention", "phrase"]

MAX_TERMS = 80
"""Most terms kept of one tweet; 280 characters hold about 60."""
MAX_TERM_CHARS = 80
LINK, DOMAIN, ENTITY = "link:", "domain:", "entity:"
"""What the keys of these kinds begin with; words hold no colon."""
CONNECTIVE = re.compile(r"al?|con|contra|del?|[eouy]|el|en|l[ao]s?|para|por|sin|sobre|una?|vs")
"""Words that may stand inside a phrase: 'ley de garantías', 'ahorros de los colombianos'."""
_MAX_CONTENT_WORDS = 3
_MAX_PHRASE_WORDS = 5
_SHORT_TEXT_WORDS = 4

_URL = re.compile(r"(?:https?://|www\.|\bt\.co/)\S*", re.IGNORECASE)
_RETWEET = re.compile(r"^\s*RT @(\w{1,20}):\s*", re.IGNORECASE)
_TOKEN = re.compile(r"[#＃]\w+|@\w{1,20}|\d+(?:[.,]\d+)*(?:\s?%)?|[^\W\d_]\w*(?:[-'’][^\W\d_]+)*")
_HUMP = re.compile(r"[A-ZÁÉÍÓÚÑÜ]+(?![a-záéíóúñü])|[A-ZÁÉÍÓÚÑÜ]?[a-záéíóúñü]+|\d+")
_INSIDE_SENTENCE = " \t,;()-/&'"
_TAGS = "#＃@"
_ADVERB = re.compile(r"\w{4,}mente")
_LAUGH = re.compile(r"(?:j+[aeiou]+){2,}h?j*")


@dataclass(frozen=True, slots=True)
class Term:
    """``key`` is the same for all spellings; ``spelling`` is how this tweet wrote it."""

    key: str
    kind: Kind
    spelling: str


@dataclass(frozen=True, slots=True)
class _Word:
    key: str
    spelling: str
    opens: bool
    """Whether a sentence begins here, where a capital letter makes no name."""

    @property
    def is_number(self) -> bool:
        return self.key[0].isdigit()

    @property
    def is_content(self) -> bool:
        empty = self.key in stop_words() or _ADVERB.fullmatch(self.key) or _LAUGH.fullmatch(self.key)
        return not self.is_number and len(self.key) > 2 and not empty


@cache
def stop_words() -> frozenset[str]:
    """Return the words that are no term by themselves and do not begin or end a phrase."""
    lines = resources.files("trending_service.text").joinpath("stopwords_es.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def clean(text: str) -> str:
    """Return ``text`` normalised, without the mark of a retweet, without URLs, its HTML entities resolved."""
    return _URL.sub(" ", _RETWEET.sub("", normalise(html.unescape(text))))


def retweeted(text: str) -> str | None:
    """Return the account that a retweet repeats, in lower case; None for a tweet of one's own."""
    match = _RETWEET.match(text)
    return match.group(1).lower() if match else None


def terms_of(text: str) -> list[Term]:
    """Return the distinct terms of a tweet, links, hashtags and mentions first, at most ``MAX_TERMS``."""
    tags: list[Term] = list(_link_terms(text))
    phrases: list[Term] = []
    for run in _runs(clean(text)):
        if isinstance(run, Term):
            tags.append(run)
        else:
            phrases.extend(_phrases(run))
    unique: dict[str, Term] = {}
    for term in tags + phrases:
        if len(term.key) <= MAX_TERM_CHARS:
            unique.setdefault(term.key, term)
    return list(unique.values())[:MAX_TERMS]


def _link_terms(text: str) -> Iterator[Term]:
    for address, domain in links_of(normalise(html.unescape(text))):
        yield Term(f"{LINK}{address}"[:MAX_TERM_CHARS], "link", address)
        if domain is not None:
            yield Term(f"{DOMAIN}{domain}", "domain", domain)


def entity_terms(names: Iterable[str]) -> list[Term]:
    """Return the terms of the tracked entities that a tweet mentions."""
    return [Term(f"{ENTITY}{name}"[:MAX_TERM_CHARS], "entity", name) for name in sorted(set(names))]


def term_key(text: str) -> str | None:
    """Return the key under which a hashtag, mention, word or phrase is stored; None when it holds no word."""
    if text.startswith((LINK, DOMAIN, ENTITY)):
        return text[:MAX_TERM_CHARS]
    words = [fold(match.group()) for match in _TOKEN.finditer(normalise(text))]
    key = " ".join(words).replace("＃", "#")
    return key if 0 < len(key) <= MAX_TERM_CHARS else None


def words_of(spelling: str) -> frozenset[str]:
    """Return the content words of a term in the singular: '#DebatesFinales2022' -> debate, final."""
    if spelling[:1] in "#@":
        parts = [fold(part) for part in _HUMP.findall(spelling) if not part.isdigit()]
    else:
        parts = [fold(match.group()) for match in _TOKEN.finditer(spelling)]
    return frozenset(_singular(part) for part in parts if len(part) > 2 and part not in stop_words())


def _singular(word: str) -> str:
    return re.sub(r"(?<=[aeiou][lnrd])es$|(?<=[aeiou])s$", "", word) if len(word) > 4 else word


def text_hash(text: str) -> int:
    """Return a signed 64-bit hash that near-duplicates share.

    Case, accents, punctuation, URLs, emoji, numbers and mentions make no difference, except in texts of
    fewer than four words, which are duplicates only when they are equal.
    """
    tokens = [fold(match.group()) for match in _TOKEN.finditer(clean(text))]
    words = [token for token in tokens if token[0] != "@" and not token[0].isdigit()]
    same = " ".join(words) if len(words) >= _SHORT_TEXT_WORDS else " ".join(text.split())
    return int.from_bytes(
        hashlib.blake2b(same.encode(errors="surrogatepass"), digest_size=8).digest(), "big", signed=True
    )


def _runs(text: str) -> Iterator[Term | list[_Word]]:
    # Punctuation, tags and emoji end a phrase.
    run: list[_Word] = []
    end = 0
    opens = True
    for match in _TOKEN.finditer(text):
        gap, token, end = text[end : match.start()], match.group(), match.end()
        opens = opens or bool(gap.strip(_INSIDE_SENTENCE))
        if run and (gap.strip(" \t") or token[0] in _TAGS):
            yield run
            run = []
        if token[0] in _TAGS:
            yield from _tag(token)
        else:
            run.append(_Word(fold(token), token, opens))
        opens = token[0] in _TAGS
    yield run


def _tag(token: str) -> Iterator[Term]:
    name = token[1:].strip("_")
    if not name or name.isdigit():
        return
    if token[0] == "@":
        yield Term("@" + fold(name), "mention", "@" + name)
    else:
        yield Term("#" + fold(name), "hashtag", "#" + name)


def _phrases(run: list[_Word]) -> Iterator[Term]:
    for start, first in enumerate(run):
        if first.is_content:
            yield Term(first.key, "phrase", _word_spelling(first, run))
        if first.is_content or first.is_number:
            yield from (_joined(run[start:end]) for end in _ends(run, start))


def _word_spelling(word: _Word, run: list[_Word]) -> str:
    # A capital that stands at the beginning of a sentence or in a shouted text says nothing about the word.
    shouted = len(run) > 2 and all(other.spelling.isupper() for other in run)
    return word.spelling.lower() if shouted or (word.opens and word.spelling[1:].islower()) else word.spelling


def _ends(run: list[_Word], start: int) -> Iterable[int]:
    contents = 1
    for end in range(start + 1, min(start + _MAX_PHRASE_WORDS, len(run))):
        word = run[end]
        if word.is_content or word.is_number:
            contents += 1
            if contents > _MAX_CONTENT_WORDS:
                return
            if any(inner.is_content for inner in run[start : end + 1]):
                yield end + 1
        elif not CONNECTIVE.fullmatch(word.key):
            return


def _joined(words: list[_Word]) -> Term:
    return Term(" ".join(w.key for w in words), "phrase", " ".join(w.spelling for w in words))
