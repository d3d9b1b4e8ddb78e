"""The posts that the fake X holds: the ground truth that tests compare with."""

from __future__ import annotations

import bisect
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from castor_devstack.fake_x.query import Node, matches, parse

EPOCH_MS = 1_288_834_974_657
Post = dict[str, Any]

_OPENINGS = ("Hoy en", "Increíble lo de", "Por fin en", "Nadie habla de", "Qué pasa en", "Vamos con todo en")
_PLACES = ("Bogotá", "Medellín", "Cali", "Barranquilla", "Bucaramanga", "Pasto", "Quibdó", "Cúcuta")
_TOPICS = ("seguridad", "salud", "educación", "empleo", "medio ambiente", "corrupción", "reforma tributaria", "paro")
_VOICES = ("muy bien", "muy mal", "así no", "excelente", "una vergüenza", "sigue igual", "gracias", "qué tristeza")
_CANDIDATES = ("Lucía Herrera", "Tomás Rincón", "Amparo Botero", "Julián Mosquera")
_TAGS = ("#Elecciones2026", "#Debate", "#ParoNacional", "#YoVoto")


def snowflake(moment: datetime, number: int = 0) -> int:
    """Return the id of post ``number`` (below 2**22) of the millisecond of ``moment``."""
    return ((int(moment.timestamp() * 1000) - EPOCH_MS) << 22) | number


def time_of(post_id: int) -> datetime:
    """Return the millisecond that an id stands for."""
    return datetime.fromtimestamp(((post_id >> 22) + EPOCH_MS) / 1000, UTC)


def wire_time(moment: datetime) -> str:
    """Return a time as X writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


class Corpus:
    """Posts in order of id, their authors, and which posts a query means."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.posts: dict[int, Post] = {}
        self.deleted: dict[int, datetime] = {}
        self._ids: list[int] = []
        self._found: dict[str, list[int]] = {}
        self._nodes: dict[str, Node] = {}

    def add(self, text: str, *, at: datetime, username: str = "ana", lang: str = "es", **more: Any) -> Post:
        """Write a post and return it; ``more`` are further fields of its object."""
        post_id = snowflake(at)
        while post_id in self.posts:
            post_id += 1
        author = self.user(username)
        author["public_metrics"]["tweet_count"] += 1
        counts = dict.fromkeys(("retweet_count", "reply_count", "like_count", "quote_count", "impression_count"), 0)
        post = {
            "id": str(post_id),
            "text": text,
            "author_id": author["id"],
            "created_at": wire_time(at),
            "conversation_id": str(post_id),
            "edit_history_tweet_ids": [str(post_id)],
            "lang": lang,
            "public_metrics": counts,
            **more,
        }
        self.posts[post_id] = post
        bisect.insort(self._ids, post_id)
        for query, ids in self._found.items():
            if matches(self._node(query), post, username):
                bisect.insort(ids, post_id)
        return post

    def user(self, username: str) -> dict[str, Any]:
        """Return the author called ``username``, made when first named."""
        key = username.lower()
        if key not in self.users:
            number = len(self.users) + 1
            metrics = {"followers_count": 10 * number, "following_count": 50, "tweet_count": 0, "listed_count": 0}
            self.users[key] = {
                "id": str(1000 + number),
                "username": username,
                "name": username.title(),
                "created_at": "2015-01-01T00:00:00.000Z",
                "description": "Cuenta inventada.",
                "verified": False,
                "public_metrics": metrics,
            }
        return self.users[key]

    def author(self, post: Post) -> dict[str, Any]:
        """Return who wrote a post."""
        return next(user for user in self.users.values() if user["id"] == post["author_id"])

    def delete(self, post_id: int) -> None:
        """Delete a post as its author would."""
        self.deleted[post_id] = datetime.now(UTC)

    def find(self, query: str, limit: int = 1024) -> list[int]:
        """Return the ids of what ``query`` means, oldest first; raises ``QueryError``."""
        if query not in self._found:
            node = parse(query, limit)
            names = {user["id"]: user["username"] for user in self.users.values()}
            self._nodes[query] = node
            posts = ((post_id, self.posts[post_id]) for post_id in self._ids)
            self._found[query] = [key for key, post in posts if matches(node, post, names[post["author_id"]])]
        return [post_id for post_id in self._found[query] if post_id not in self.deleted]

    def _node(self, query: str) -> Node:
        return self._nodes[query]

    def by(self, author_id: str) -> list[int]:
        """Return the ids of what an author wrote, oldest first."""
        return [key for key in self._ids if self.posts[key]["author_id"] == author_id and key not in self.deleted]


def invented(count: int, *, seed: int = 1, until: datetime | None = None, days: float = 6.5) -> Iterator[Post]:
    """Yield the arguments of ``count`` invented posts, evenly over the last ``days``, for ``Corpus.add``."""
    chance = random.Random(seed)
    end = (until or datetime.now(UTC)) - timedelta(minutes=1)
    for number in range(count):
        at = end - timedelta(days=days * (count - 1 - number) / max(1, count))
        text = (
            f"{chance.choice(_OPENINGS)} {chance.choice(_PLACES)}: {chance.choice(_TOPICS)} y "
            f"{chance.choice(_CANDIDATES)}, {chance.choice(_VOICES)}. {chance.choice(_TAGS)}"
        )
        yield {"text": text, "at": at, "username": f"persona{chance.randrange(200)}"}


def filled(posts: Iterable[Post]) -> Corpus:
    """Return a corpus that holds ``posts``."""
    corpus = Corpus()
    for post in posts:
        corpus.add(**post)
    return corpus
