"""Authors in user objects of the X API v2."""

from __future__ import annotations

from typing import Any

from twitter_service.tweets.model import Author, read_time

_MAX_COUNT = 2**31


def author_of(key: str, user: dict[str, Any]) -> Author | None:
    """Return the author in a user object, None where it has no usable handle; broken fields are left out."""
    get = user.get
    username, image, bio, location, verified = (
        get("username"), get("profile_image_url"), get("description"), get("location"), get("verified"),
    )  # fmt: skip
    if not isinstance(username, str) or not 0 < len(username) <= 100:
        return None
    metrics = get("public_metrics")
    counts = metrics.get if isinstance(metrics, dict) else {}.get
    location = location[:200] if isinstance(location, str) and location else None
    if "\x00" in username or (location and "\x00" in location):
        return None
    return Author(
        key,
        username,
        read_time(get("created_at")),
        _count(counts("followers_count")),
        _count(counts("following_count")),
        _count(counts("tweet_count")),
        verified if isinstance(verified, bool) else None,
        bool(bio) if isinstance(bio, str) else None,
        "default_profile" not in image if isinstance(image, str) and image else None,
        location,
    )


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None
