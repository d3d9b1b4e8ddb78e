"""Extracts terms from a Spanish tweet: hashtags, mentions, words, short phrases. Spellings share a key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import islice
from typing import Literal

import snowballstemmer

from castor_chassis import fold, normalise, unescape
from trending_service.text.links import links_of, may_link

Kind = Literal["hashtag", "mention", "phrase", "entity", "link", "domain"]

WordKind = Literal["hashtag", "mention", "phrase"]

MAX_TERMS = 80
"""Most terms kept of one tweet; 280 characters hold about 60."""
MAX_TERM_CHARS = 80
LINK, DOMAIN, ENTITY = "link:", "domain:", "entity:"
"""What the keys of these kinds begin with; words hold no colon."""
_KINDS: Mapping[str, Kind] = {LINK: "link", DOMAIN: "domain", ENTITY: "entity"}
CONNECTIVE = re.compile(r"al?|con|contra|del?|[eouy]|el|en|l[ao]s?|para|por|sin|sobre|una?|vs")
"""Words that may stand inside a phrase: 'ley de garantías', 'ahorros de los colombianos'."""
_MAX_CONTENT_WORDS = 3
_MAX_PHRASE_WORDS = 5
_SHORT_TEXT_WORDS = 4
_SHORTEST_STEM = 4
_LONG_NAME = 6

_URL = re.compile(r"(?:https?://|www\.|\bt\.co/)\S*", re.IGNORECASE)
_RETWEET = re.compile(r"^\s*RT @(\w{1,20}):\s*", re.IGNORECASE)
_TOKEN = re.compile(r"[#＃]\w+|@\w{1,20}|\d+(?:[.,]\d+)*(?:[^\S\n]?%)?|[^\W\d_]\w*(?:[-'’][^\W\d_]+)*")
_PARTS = re.compile(f"({_TOKEN.pattern})")
_HUMP = re.compile(r"[A-ZÁÉÍÓÚÑÜ]+(?![a-záéíóúñü])|[A-ZÁÉÍÓÚÑÜ]?[a-záéíóúñü]+|\d+")
_INSIDE_SENTENCE = " \t,;()-/&'"
_TAGS = "#＃@"
_NEUTRAL = re.compile(r"al?|del?|[eouy]|el|en|l[ao]s?|una?")
_PLURAL = re.compile(r"(?<=[aeiou][lnrd])es$|(?<=[aeiou])s$")
_NUMBER = re.compile(r"\d+")
_THOUSANDS = re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))")
_NO_LETTER = re.compile(r"[\W_]+")
_ADVERB = re.compile(r"\w{4,}mente")
_LAUGH = re.compile(r"(?:j+[aeiou]+){2,}h?j*")


_Sort = Literal["content", "number", "connective", "other"]
_HEADS = ("content", "number")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with its ``spelling`` in a phrase and ``alone``."""

    key: str
    spelling: str
    alone: str
    sort: _Sort


@cache
def stop_words() -> frozenset[str]:
    """Return the words that are no term by themselves and do not begin or end a phrase."""
    lines = resources.files("trending_service.text").joinpath("stopwords_es.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=100_000)
def _folded(token: str) -> str:
    return fold(token)


@lru_cache(maxsize=100_000)
def _word(token: str, opens: bool) -> _Word:
    # Where a sentence begins, a capital letter makes no name.
    key = fold(token)
    return _Word(key, token, token.lower() if opens and token[1:].islower() else token, _sort_of(key))


def _sort_of(key: str) -> _Sort:
    if key[0].isdigit():
        return "number"
    empty = key in stop_words() or _ADVERB.fullmatch(key) or _LAUGH.fullmatch(key)
    if len(key) > 2 and not empty:
        return "content"
    return "connective" if CONNECTIVE.fullmatch(key) else "other"


@lru_cache(maxsize=1000)
def _plain(text: str) -> str:
    return normalise(unescape(text))


def clean(text: str) -> str:
    """Return ``text`` normalised, without the mark of a retweet, without URLs, its HTML entities resolved."""
    plain = _plain(text)
    mark = _RETWEET.match(plain)
    rest = plain[mark.end() :] if mark else plain
    return _URL.sub(" ", rest) if may_link(rest) or "t.co/" in rest.lower() else rest


@lru_cache(maxsize=1000)
def _tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of a cleaned text at the odd places, and what lies around them at the even ones.

    Its terms and its hash both begin here.
    """
    return tuple(_PARTS.split(clean(text)))


def retweeted(text: str) -> str | None:
    """Return the account that a retweet repeats, in lower case; None for a tweet of one's own."""
    match = _RETWEET.match(text)
    return match.group(1).lower() if match else None


def terms_of(text: str) -> dict[str, str]:
    """Return the distinct terms of a tweet, at most ``MAX_TERMS``: links, hashtags and mentions first.

    The key of a term is the same for all its spellings; its value is how this tweet wrote it. No key and no spelling
    holds a line feed.
    """
    tags = _link_terms(text)
    phrases: dict[str, str] = {}
    for run in _runs(_tokens(text)):
        if isinstance(run, str):
            _add_tag(run, tags)
        else:
            _add_phrases(run, phrases)
    found = tags | phrases
    if len(found) <= MAX_TERMS and max(map(len, found), default=0) <= MAX_TERM_CHARS:
        return found
    short = ((key, spelling) for key, spelling in found.items() if len(key) <= MAX_TERM_CHARS)
    return dict(islice(short, MAX_TERMS))


def kind_of(key: str) -> Kind:
    """Return what sort of term has this key."""
    if key[0] in "#@":
        return "hashtag" if key[0] == "#" else "mention"
    return _KINDS.get(key[: key.find(":") + 1], "phrase")


def _link_terms(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for address, domain in links_of(_plain(text)):
        found.setdefault(f"{LINK}{address}"[:MAX_TERM_CHARS], address)
        if domain is not None:
            found.setdefault(f"{DOMAIN}{domain}", domain)
    return found


def entity_terms(names: Iterable[str]) -> dict[str, str]:
    """Return the terms of the tracked entities that a tweet mentions."""
    plain = sorted({" ".join(name.split()) for name in names})
    return {f"{ENTITY}{name}"[:MAX_TERM_CHARS]: name for name in plain}


def term_key(text: str) -> str | None:
    """Return the key under which a hashtag, mention, word or phrase is stored; None when it holds no word."""
    if text.startswith((LINK, DOMAIN, ENTITY)):
        return text[:MAX_TERM_CHARS]
    words = [fold(match.group()) for match in _TOKEN.finditer(normalise(text))]
    key = " ".join(words).replace("＃", "#")
    return key if 0 < len(key) <= MAX_TERM_CHARS else None


def term_keys(text: str) -> set[str]:
    """Return the keys under which a term that is written so is stored: a link or a domain may look like a phrase."""
    keys = {key} if (key := term_key(text)) is not None else set()
    if "." in text and ":" not in text and not text.startswith(tuple(_TAGS)) and len(text.split()) == 1:
        keys |= {f"{LINK}{text}"[:MAX_TERM_CHARS], f"{DOMAIN}{text.lower()}"[:MAX_TERM_CHARS]}
    return keys


def words_of(spelling: str) -> frozenset[str]:
    """Return the stems of the content words of a term: '#DebatesFinales2022' -> debat, final."""
    return frozenset(stem(part) for part in _parts(spelling) if len(part) > 2 and part not in stop_words())


@lru_cache(maxsize=10_000)
def words_by_stem(spelling: str) -> Mapping[str, str]:
    """Return all words of a term in the singular by their stems, but articles and the like.

    'con', 'contra' and 'no' make a difference.
    """
    parts = [part for part in _parts(spelling) if len(part) > 1 and not _NEUTRAL.fullmatch(part)]
    return {stem(part): _PLURAL.sub("", part) for part in parts}


def _parts(spelling: str) -> list[str]:
    if spelling[:1] in "#@":
        return [fold(part) for part in _HUMP.findall(spelling) if not part.isdigit()]
    return [fold(match.group()) for match in _TOKEN.finditer(spelling) if not match.group().isdigit()]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return what the forms of a folded word share, 'impuest' of 'impuestos'; of short words only the singular."""
    found = str(snowballstemmer.stemmer("spanish").stemWord(word))
    return found if len(found) >= _SHORTEST_STEM else _PLURAL.sub("", word)


@lru_cache(maxsize=10_000)
def numbers_of(spelling: str) -> frozenset[str]:
    """Return the numbers in a term: '#Debate2022' -> 2022, '1.000 pesos' -> 1000."""
    return frozenset(_NUMBER.findall(_THOUSANDS.sub("", spelling)))


@lru_cache(maxsize=10_000)
def letters(spelling: str) -> str:
    """Return the letters and digits of a term as all its spellings share them: '#CierreDeCampaña' -> cierredecampana.

    Many leave accents, spaces and the ñ out of a hashtag. In short words the ñ counts: 'año' is not 'ano'.
    """
    plain = _NO_LETTER.sub("", fold(spelling, keep_enye=False))
    return plain if len(plain) >= _LONG_NAME else _NO_LETTER.sub("", fold(spelling))


def text_hash(text: str) -> int:
    """Return a signed 64-bit hash that near-duplicates share.

    Case, accents, punctuation, URLs, emoji, numbers and mentions make no difference, except in texts of
    fewer than four words, which are duplicates only when they are equal.
    """
    tokens = map(_folded, _tokens(text)[1::2])
    words = [token for token in tokens if token[0] != "@" and not token[0].isdigit()]
    same = " ".join(words) if len(words) >= _SHORT_TEXT_WORDS else " ".join(text.split())
    return int.from_bytes(
        hashlib.blake2b(same.encode(errors="surrogatepass"), digest_size=8).digest(), "big", signed=True
    )


def _runs(parts: Sequence[str]) -> Iterator[str | list[_Word]]:
    # Tags, and the words between them; punctuation, tags and emoji end a phrase.
    run: list[_Word] = []
    opens = True
    for gap, token in zip(parts[::2], parts[1::2], strict=False):
        opens = opens or (gap != " " and bool(gap.strip(_INSIDE_SENTENCE)))
        is_tag = token[0] in _TAGS
        if run and (is_tag or (gap != " " and gap.strip(" \t"))):
            yield run
            run = []
        if is_tag:
            yield token
        else:
            run.append(_word(token, opens))
        opens = is_tag
    yield run


def _add_tag(token: str, found: dict[str, str]) -> None:
    name = token[1:].strip("_")
    if name and not name.isdigit():
        mark = "@" if token[0] == "@" else "#"
        found.setdefault(mark + _folded(name), mark + name)


def _add_phrases(run: list[_Word], found: dict[str, str]) -> None:
    # In a shouted text a capital says nothing about the word.
    shouted = len(run) > 2 and all(word.spelling.isupper() for word in run)
    for start, first in enumerate(run):
        if first.sort == "content":
            found.setdefault(first.key, first.spelling.lower() if shouted else first.alone)
        if first.sort in _HEADS:
            _add_longer(first, run[start + 1 : start + _MAX_PHRASE_WORDS], found)


def _add_longer(first: _Word, following: list[_Word], found: dict[str, str]) -> None:
    """Add the phrases that begin with ``first`` and end with one of the words after it."""
    key, spelling, words = first.key, first.spelling, 1
    has_content = first.sort == "content"
    for word in following:
        key, spelling = f"{key} {word.key}", f"{spelling} {word.spelling}"
        if word.sort in _HEADS:
            words += 1
            has_content = has_content or word.sort == "content"
            if words > _MAX_CONTENT_WORDS:
                return
            if has_content:
                found.setdefault(key, spelling)
        elif word.sort != "connective":
            return
