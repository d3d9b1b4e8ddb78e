"""For which entities a tweet counts: those whose handle wrote it, and those it mentions.

Handles, hashtags and aliases are compared without case and accents, and aliases on word boundaries. The
cost does not grow with the number of entities.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from twitter_service.matching.folding import fold
from twitter_service.matching.phrases import Phrases, Words, words_of

_NOT_SLUG = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an entity is recognised by."""

    entity_id: str
    handles: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()


def slug(name: str) -> str:
    """Return ``name`` as an entity id; empty when nothing of it can stand in one."""
    return _NOT_SLUG.sub("-", fold(name)).strip("-_")[:64]


class Matcher:
    """Finds entities in tweets."""

    def __init__(self, entities: Iterable[Terms]) -> None:
        self.terms = tuple(entities)
        self._signed: defaultdict[str, set[str]] = defaultdict(set)
        aliases: defaultdict[str, set[str]] = defaultdict(set)
        for terms in self.terms:
            for handle in terms.handles:
                self._signed["@" + fold(handle.lstrip("@"))].add(terms.entity_id)
            for hashtag in terms.hashtags:
                self._signed["#" + fold(hashtag.lstrip("#"))].add(terms.entity_id)
            for alias in terms.aliases:
                aliases[alias].add(terms.entity_id)
        self._aliases = Phrases(aliases)

    def accounts_in(self, username: str, words: Words) -> set[str]:
        """Return the ids of the entities whose account wrote the tweet or is mentioned in it by its handle."""
        mentioned = (token for token in words.signed if token[0] == "@")
        handles = ("@" + fold(username), *mentioned)
        return {entity for handle in handles for entity in self._signed.get(handle, ())}

    def entities_in(self, username: str, words: Words) -> set[str]:
        """Return the ids of the entities that a tweet with these words counts for."""
        found = self._aliases.found_in(words.plain)
        for token in ("@" + fold(username), *words.signed):
            found |= self._signed.get(token, set())
        return found

    def entities_of(self, username: str, text: str) -> set[str]:
        """Return the ids of the entities that a tweet counts for."""
        return self.entities_in(username, words_of(text))
