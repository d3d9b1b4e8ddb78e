"""The filtered stream of the fake X: rules, connections, keep-alives, and posts as they are written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from castor_devstack.fake_x.corpus import Corpus, Post
from castor_devstack.fake_x.query import Node, matches, parse

KEEP_ALIVE_SECONDS = 20.0


class Stream:
    """Whoever is connected gets what is published and meant by a rule; what is missed is gone, as with X."""

    def __init__(self, corpus: Corpus, render: Callable[[Post, Mapping[str, str]], dict[str, Any]]) -> None:
        self.keep_alive_seconds = KEEP_ALIVE_SECONDS
        self.rules: dict[str, dict[str, str]] = {}
        self.connects = 0
        self.disconnects = 0
        self.delivered = 0
        self._corpus = corpus
        self._render = render
        self._nodes: dict[str, Node] = {}
        self._connections: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._next_rule = 1

    @property
    def connected(self) -> bool:
        """True while somebody listens."""
        return bool(self._connections)

    def add_rule(self, value: str, tag: str | None) -> tuple[dict[str, str], bool]:
        """Return the rule, and whether it is new; raises ``QueryError``."""
        node = parse(value, 1024)
        for rule in self.rules.values():
            if rule["value"] == value:
                return rule, False
        rule = {"id": str(self._next_rule), "value": value, **({"tag": tag} if tag else {})}
        self._next_rule += 1
        self.rules[rule["id"]] = rule
        self._nodes[rule["id"]] = node
        return rule, True

    def publish(self, text: str, **post: Any) -> Post:
        """Write a post now; it reaches whoever is connected and has a rule for it."""
        written = self._corpus.add(text, **post)
        username = self._corpus.author(written)["username"]
        meant = [rule for key, rule in self.rules.items() if matches(self._nodes[key], written, username)]
        if meant:
            rules = [{"id": rule["id"], "tag": rule.get("tag", "")} for rule in meant]
            for connection in self._connections:
                connection.put_nowait({"post": written, "matching_rules": rules})
        return written

    def disconnect(self) -> int:
        """End every connection and return how many there were."""
        for connection in self._connections:
            connection.put_nowait(None)
        ended = len(self._connections)
        self.disconnects += ended
        self._connections.clear()
        return ended

    async def lines(self, parameters: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Yield what one connection receives, until it is ended."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._connections.add(queue)
        self.connects += 1
        try:
            while True:
                try:
                    item = await asyncio.wait_for(queue.get(), self.keep_alive_seconds)
                except TimeoutError:
                    yield b"\r\n"
                    continue
                if item is None:
                    return
                self.delivered += 1
                page = self._render(item["post"], parameters)
                yield json.dumps({**page, "matching_rules": item["matching_rules"]}).encode() + b"\r\n"
        finally:
            self._connections.discard(queue)
