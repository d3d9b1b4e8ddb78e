"""What the fake X answers: pages, expansions, counts and problems, as API v2 words them."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from castor_devstack.fake_x.corpus import Corpus, Post, snowflake, time_of, wire_time

RECENT_DAYS = 7
END_SECONDS = 10
"""X refuses an end that is not this far in the past."""
_ALWAYS = ("id", "text", "edit_history_tweet_ids")
_USER_ALWAYS = ("id", "username", "name")


class BadRequest(Exception):
    """What X answers with 400; the message is its detail."""


def problem(status: int, title: str, detail: str) -> dict[str, Any]:
    """Return an error body."""
    body = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    return {**body, "errors": [{"message": detail}]} if status == 400 else body


class Answers:
    """Makes pages from a corpus; ``served`` holds what X would bill: each post once a UTC day."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.served: set[tuple[str, str]] = set()
        self.served_users: set[tuple[str, str]] = set()

    def bill(self, page: Mapping[str, Any]) -> None:
        """Note what a page costs."""
        today = datetime.now(UTC).date().isoformat()
        data = page.get("data", [])
        items = data if isinstance(data, list) else [data]
        self.served |= {(today, item["id"]) for item in items if "text" in item}
        self.served_users |= {(today, item["id"]) for item in items if "username" in item}

    def search(self, q: Mapping[str, str], *, archive: bool) -> dict[str, Any]:
        """``GET /2/tweets/search/recent`` and ``/all``."""
        ids = self._window(q, archive)
        return self._page(ids, q, size=_number(q, "max_results", 10, 500 if archive else 100, 10), token="next_token")

    def counts(self, q: Mapping[str, str], *, archive: bool) -> dict[str, Any]:
        """``GET /2/tweets/counts/recent`` and ``/all``, by hour."""
        ids = self._window(q, archive)
        hours = itertools.groupby(ids, lambda key: time_of(key).replace(minute=0, second=0, microsecond=0))
        data = [
            {"start": wire_time(hour), "end": wire_time(hour + timedelta(hours=1)), "tweet_count": len(list(group))}
            for hour, group in hours
        ]
        return {"data": data, "meta": {"total_tweet_count": len(ids)}}

    def tweets(self, q: Mapping[str, str]) -> dict[str, Any]:
        """``GET /2/tweets?ids=``: what is found, and an error for each that is not."""
        wanted = [key for key in q.get("ids", "").split(",") if key]
        if not 1 <= len(wanted) <= 100:
            raise BadRequest("The number of values in the `ids` query parameter list must be between 1 and 100")
        gone = self.corpus.deleted
        found = [int(key) for key in wanted if int(key) in self.corpus.posts and int(key) not in gone]
        page = self._objects([self.corpus.posts[key] for key in found], q)
        missing = [key for key in wanted if int(key) not in found]
        errors = [
            {"value": key, "resource_id": key, "resource_type": "tweet", "title": "Not Found Error"} for key in missing
        ]
        return {**page, **({"errors": errors} if errors else {})}

    def user(self, username: str, q: Mapping[str, str]) -> dict[str, Any]:
        """``GET /2/users/by/username/:username``."""
        found = self.corpus.users.get(username.lower())
        if found is None:
            return {"errors": [{"value": username, "resource_type": "user", "title": "Not Found Error"}]}
        return {"data": _only(found, q.get("user.fields"), _USER_ALWAYS)}

    def timeline(self, user_id: str, q: Mapping[str, str]) -> dict[str, Any]:
        """``GET /2/users/:id/tweets``."""
        ids = _between(self.corpus.by(user_id), q)
        return self._page(ids, q, size=_number(q, "max_results", 5, 100, 10), token="pagination_token")

    def one(self, post: Post, q: Mapping[str, str]) -> dict[str, Any]:
        """Return one post as the stream sends it; it is billed."""
        page = self._objects([post], q)
        self.bill(page)
        return {**page, "data": page["data"][0]}

    def spoiled(self, page: dict[str, Any], kind: str) -> dict[str, Any]:
        """Return a page that is empty though more follows, or that brings a post twice."""
        data = page.get("data")
        if kind == "duplicate" or not isinstance(data, list) or "meta" not in page:
            self.bill(page)
            return {**page, "data": [*data, data[0]]} if isinstance(data, list) and data else page
        again = _token(int(data[0]["id"]) + 1) if data else None
        return {"meta": {"result_count": 0, **({"next_token": again} if again else {})}}

    def _window(self, q: Mapping[str, str], archive: bool) -> list[int]:
        now = datetime.now(UTC)
        earliest = now - timedelta(days=RECENT_DAYS)
        start = _time(q, "start_time")
        if not archive and start is not None and start < earliest:
            raise BadRequest(f"Invalid 'start_time':'{q['start_time']}'. 'start_time' must be on or after {earliest}")
        since = q.get("since_id")
        if not archive and since and time_of(int(since)) < earliest:
            raise BadRequest("'since_id' must be a tweet id created after [7 days ago]")
        end = _time(q, "end_time")
        if end is not None and end > now - timedelta(seconds=END_SECONDS):
            raise BadRequest(f"Invalid 'end_time':'{q['end_time']}'. 'end_time' must be a minimum of 10 seconds prior")
        ids = self.corpus.find(q.get("query", ""), 1024 if archive else 512)
        first = ids if archive else [key for key in ids if key >= snowflake(earliest)]
        return _between(first, q)

    def _page(self, ids: Sequence[int], q: Mapping[str, str], *, size: int, token: str) -> dict[str, Any]:
        before = _position(q.get(token) or q.get("next_token"))
        newest_first = [key for key in reversed(ids) if before is None or key < before]
        shown = newest_first[:size]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if shown:
            meta |= {"newest_id": str(shown[0]), "oldest_id": str(shown[-1])}
        if len(newest_first) > size:
            meta["next_token"] = _token(shown[-1])
        page = self._objects([self.corpus.posts[key] for key in shown], q) if shown else {}
        return {**page, "meta": meta}

    def _objects(self, posts: Sequence[Post], q: Mapping[str, str]) -> dict[str, Any]:
        page: dict[str, Any] = {"data": [_only(post, q.get("tweet.fields"), _ALWAYS) for post in posts]}
        if "author_id" in q.get("expansions", ""):
            names = {user["id"]: user for user in self.corpus.users.values()}
            users = {post["author_id"]: names[post["author_id"]] for post in posts}
            page["includes"] = {"users": [_only(u, q.get("user.fields"), _USER_ALWAYS) for u in users.values()]}
        return page


def _between(ids: Sequence[int], q: Mapping[str, str]) -> list[int]:
    start, end = _time(q, "start_time"), _time(q, "end_time")
    least = max(int(q.get("since_id") or 0) + 1, snowflake(start) if start else 0)
    most = min(int(q.get("until_id") or 2**63), snowflake(end) if end else 2**63)
    return [key for key in ids if least <= key < most]


def _only(item: Mapping[str, Any], fields: str | None, always: Sequence[str]) -> dict[str, Any]:
    wanted = {*always, *(fields or "").split(",")}
    return {name: value for name, value in item.items() if name in wanted}


def _number(q: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    text = q.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= most:
        raise BadRequest(f"The `{name}` query parameter value [{text}] is not between {least} and {most}")
    return int(text)


def _time(q: Mapping[str, str], name: str) -> datetime | None:
    text = q.get(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise BadRequest(f"Invalid '{name}':'{text}'. Format must be RFC3339") from error


def _token(before: int) -> str:
    return base64.urlsafe_b64encode(f"b{before}".encode()).decode().rstrip("=")


def _position(token: str | None) -> int | None:
    if not token:
        return None
    try:
        return int(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().removeprefix("b"))
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"Invalid token [{token}]") from error
