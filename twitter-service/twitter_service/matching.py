"""For which entities a tweet counts: those whose handle wrote it, and those it mentions.

Handles, hashtags and aliases are compared without case and accents, and aliases on word boundaries. A text
is cut into words once, so the cost does not grow with the number of entities.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

_ACCENTS = re.compile(r"[\u0300-\u036f]+")
_TOKENS = re.compile(r"https?://\S+|(?<!\w)[@#]\w+|\w+")
_NOT_SLUG = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an entity is recognised by."""

    entity_id: str
    handles: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()


def fold(text: str) -> str:
    """Return ``text`` without case and accents (an ñ is an n)."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()


def slug(name: str) -> str:
    """Return ``name`` as an entity id; empty when nothing of it can stand in one."""
    return _NOT_SLUG.sub("-", fold(name)).strip("-_")[:64]


class Matcher:
    """Finds entities in tweets."""

    def __init__(self, entities: Iterable[Terms]) -> None:
        self._handles: defaultdict[str, set[str]] = defaultdict(set)
        self._hashtags: defaultdict[str, set[str]] = defaultdict(set)
        self._phrases: defaultdict[str, list[tuple[list[str], str]]] = defaultdict(list)
        for terms in entities:
            self._add(terms)

    def _add(self, terms: Terms) -> None:
        for handle in terms.handles:
            self._handles[fold(handle.lstrip("@"))].add(terms.entity_id)
        for hashtag in terms.hashtags:
            self._hashtags[fold(hashtag.lstrip("#"))].add(terms.entity_id)
        for alias in terms.aliases:
            words = re.findall(r"\w+", fold(alias))
            if words:
                self._phrases[words[0]].append((words, terms.entity_id))

    def names_account(self, username: str, text: str) -> bool:
        """True when a tracked account wrote the tweet or is mentioned in it by its handle."""
        mentioned = (token[1:] for token in _TOKENS.findall(fold(text)) if token[0] == "@")
        return any(handle in self._handles for handle in (fold(username), *mentioned))

    def entities_of(self, username: str, text: str) -> set[str]:
        """Return the ids of the entities that the tweet counts for."""
        found = set(self._handles.get(fold(username), ()))
        tokens = _TOKENS.findall(fold(text))
        words = [token.lstrip("#") for token in tokens]
        for position, token in enumerate(tokens):
            if token[0] == "@":
                found |= self._handles.get(token[1:], set())
                continue
            if token[0] == "#":
                found |= self._hashtags.get(token[1:], set())
            for phrase, entity_id in self._phrases.get(words[position], ()):
                if words[position : position + len(phrase)] == phrase:
                    found.add(entity_id)
        return found
