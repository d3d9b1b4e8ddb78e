"""The language of X search: parsed as X documents it (AND binds tighter than OR), and matched against posts.

Source: "Build a query" in the documentation of X API v2. A parse keeps every operator visible, so tests can
tell what a query means to X and not only how it looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r'\s*(?:(?P<open>-?\()|(?P<close>\))|(?P<item>-?(?:[A-Za-z_]+:)?(?:"[^"]*"|[^\s()"]+)))')
_OPERATOR = re.compile(
    r"(?P<name>from|to|lang|is|has|conversation_id|retweets_of|url|place|place_country|entity|context|list|bio):(?P<value>.+)"
)
_WORDS = re.compile(r"\w+")


class QueryError(Exception):
    """A query that X would refuse with 400; the message says why."""


@dataclass(frozen=True)
class Leaf:
    """``kind`` is ``text``, ``hashtag``, ``mention`` or the operator's name."""

    kind: str
    value: str
    negated: bool = False


@dataclass(frozen=True)
class Group:
    """``kind`` is ``and`` or ``or``."""

    kind: str
    parts: tuple[Leaf | Group, ...]
    negated: bool = False


Node = Leaf | Group


def parse(query: str, limit: int = 512) -> Node:
    """Return what ``query`` means; raises ``QueryError``."""
    if len(query) > limit:
        raise QueryError(f"Rules must be {limit} characters or fewer")
    tokens = list(_tokens(query))
    node, rest = _alternatives(tokens)
    if rest:
        raise QueryError(f"unexpected {rest[0]!r}")
    if not any(leaf.kind not in _CONJUNCTION_ONLY and not leaf.negated for leaf in leaves(node)):
        raise QueryError("a rule must contain at least one positive, non-stopword clause")
    return node


_CONJUNCTION_ONLY = frozenset({"lang", "is", "has", "place_country"})


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield every leaf."""
    if isinstance(node, Leaf):
        yield node
        return
    for part in node.parts:
        yield from leaves(part)


def matches(node: Node, post: dict[str, Any], username: str) -> bool:
    """Tell whether a post, written by ``username``, is meant."""
    if isinstance(node, Leaf):
        found = _leaf_matches(node, post, username)
    else:
        kind = all if node.kind == "and" else any
        found = kind(matches(part, post, username) for part in node.parts)
    return found != node.negated


def _tokens(query: str) -> Iterator[str]:
    position = 0
    text = query.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise QueryError(f"cannot read {text[position : position + 20]!r}")
        position = found.end()
        yield found.group().strip()


def _alternatives(tokens: list[str]) -> tuple[Node, list[str]]:
    parts: list[Node] = []
    while True:
        part, tokens = _conjunction(tokens)
        parts.append(part)
        if not tokens or tokens[0] != "OR":
            break
        tokens = tokens[1:]
    return (parts[0] if len(parts) == 1 else Group("or", tuple(parts))), tokens


def _conjunction(tokens: list[str]) -> tuple[Node, list[str]]:
    parts: list[Node] = []
    while tokens and tokens[0] not in ("OR", ")"):
        part, tokens = _unit(tokens)
        parts.append(part)
    if not parts:
        raise QueryError("a clause is missing")
    return (parts[0] if len(parts) == 1 else Group("and", tuple(parts))), tokens


def _unit(tokens: list[str]) -> tuple[Node, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first not in ("(", "-("):
        return _leaf(first), rest
    inner, rest = _alternatives(rest)
    if not rest or rest[0] != ")":
        raise QueryError("a parenthesis is not closed")
    kind, parts = (inner.kind, inner.parts) if isinstance(inner, Group) and not inner.negated else ("and", (inner,))
    return Group(kind, parts, negated=first.startswith("-")), rest[1:]


def _leaf(token: str) -> Leaf:
    negated = token.startswith("-")
    text = token.removeprefix("-")
    operator = _OPERATOR.fullmatch(text)
    if operator is not None:
        return Leaf(operator["name"], operator["value"].strip('"'), negated)
    if text.startswith('"'):
        if not _WORDS.search(text) and text.strip('" ') == "":
            raise QueryError("a phrase is empty")
        return Leaf("text", text.strip('"'), negated)
    if ":" in text and not text.startswith(("#", "@")):
        raise QueryError(f"there is no operator {text!r}")
    kind = {"#": "hashtag", "@": "mention"}.get(text[:1], "text")
    return Leaf(kind, text.lstrip("#@") if kind != "text" else text, negated)


def _leaf_matches(leaf: Leaf, post: dict[str, Any], username: str) -> bool:
    text = str(post["text"]).lower()
    value = leaf.value.lower()
    if leaf.kind == "text":
        wanted, words = _WORDS.findall(value), _WORDS.findall(text)
        if not wanted:
            return value in text
        return any(words[at : at + len(wanted)] == wanted for at in range(len(words)))
    if leaf.kind in ("hashtag", "mention"):
        sign = "#" if leaf.kind == "hashtag" else "@"
        return re.search(rf"{sign}{re.escape(value)}(?!\w)", text) is not None
    if leaf.kind == "from":
        return username.lower() == value
    if leaf.kind == "lang":
        return post.get("lang") == value
    if leaf.kind == "is" and value == "retweet":
        return any(r["type"] == "retweeted" for r in post.get("referenced_tweets", []))
    return leaf.kind == "conversation_id" and post.get("conversation_id") == value
