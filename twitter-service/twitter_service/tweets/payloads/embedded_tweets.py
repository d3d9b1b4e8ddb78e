"""The JSON of a tweet without the tweets that it holds: each is stored, and erased, under its own id."""

from __future__ import annotations

from typing import Any

import orjson

_OF_V1 = ("retweeted_status", "quoted_status")
_NAMES = frozenset(("type", "id", "username"))
"""What a reference says of a tweet that it only names."""


def own_json(raw: str, references: Any, *, of_v1: bool) -> str:
    """Return ``raw``, the JSON of an object with these ``referenced_tweets``, without the tweets inside.

    ``raw`` is returned as it is where there is none, as in most objects. Raises ``orjson.JSONDecodeError`` for a member
    that cannot be read, and ``orjson.JSONEncodeError`` for JSON that is nested too deeply to be written again.
    """
    # Whole objects are searched only where they can hold one: of v2 the references are read already.
    if not _embeds(references) and not (of_v1 and any(f'"{name}"' in raw for name in _OF_V1)):
        return raw
    item = orjson.loads(raw)
    for name in _OF_V1:
        item.pop(name, None)
    if isinstance(named := item.get("referenced_tweets"), list):
        item["referenced_tweets"] = [_bare(one) for one in named]
    return orjson.dumps(item).decode()


def _embeds(references: Any) -> bool:
    found = references if isinstance(references, list) else []
    return any(isinstance(one, dict) and not one.keys() <= _NAMES for one in found)


def _bare(reference: Any) -> Any:
    if not isinstance(reference, dict):
        return None
    return {name: reference[name] for name in ("type", "id") if name in reference}
