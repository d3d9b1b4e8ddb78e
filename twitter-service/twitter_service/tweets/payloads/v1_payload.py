"""Tweets of the API v1.1 as objects of v2: what Twitter's older interfaces, tweepy and the search of 30 days write."""

from __future__ import annotations

from typing import Any

_COUNTS = {
    "retweet_count": "retweet_count", "favorite_count": "like_count", "reply_count": "reply_count",
    "quote_count": "quote_count",
}  # fmt: skip
_USER_COUNTS = {
    "followers_count": "followers_count",
    "friends_count": "following_count",
    "statuses_count": "tweet_count",
}


def is_v1(item: dict[str, Any]) -> bool:
    """True for an object with the user inside, as in v1.1."""
    user = item.get("user")
    return isinstance(user, dict) and ("screen_name" in user or "id_str" in user) and "author_id" not in item


def as_v2(item: dict[str, Any]) -> dict[str, Any]:
    """Return the same tweet as an object of v2. ``id_str`` is preferred: JavaScript rounds ``id``."""
    user = item["user"]
    extended = item.get("extended_tweet")
    text = extended.get("full_text") if isinstance(extended, dict) else None
    found = {
        "id": item.get("id_str") or item.get("id"),
        "text": text or item.get("full_text") or item.get("text"),
        "created_at": item.get("created_at"),
        "lang": item.get("lang"),
        "author_id": str(user.get("id_str") or user.get("id") or "") or None,
        "username": user.get("screen_name"),
        "author": _author(user),
        "public_metrics": {new: item[old] for old, new in _COUNTS.items() if old in item},
        "geo": item.get("place"),
    }
    if references := [*_references(item), *_answered(item)]:
        found["referenced_tweets"] = references
    return found


def _author(user: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: user[name] for name in ("location", "description", "verified", "created_at") if name in user
    }
    image = user.get("profile_image_url_https")
    return {
        **kept,
        "id": str(user.get("id_str") or user.get("id") or ""),
        "username": user.get("screen_name"),
        "profile_image_url": "default_profile" if user.get("default_profile_image") is True else image,
        "public_metrics": {new: user[old] for old, new in _USER_COUNTS.items() if old in user},
    }


def _answered(item: dict[str, Any]) -> list[dict[str, Any]]:
    key = item.get("in_reply_to_status_id_str") or item.get("in_reply_to_status_id")
    return [{"type": "replied_to", "id": key, "username": item.get("in_reply_to_screen_name")}] if key else []


def _references(item: dict[str, Any]) -> list[dict[str, Any]]:
    original = item.get("retweeted_status")
    if not isinstance(original, dict):
        return []
    if not is_v1(original):
        return [{"type": "retweeted", "id": original.get("id_str") or original.get("id")}]
    return [{"type": "retweeted", **as_v2(original)}]
