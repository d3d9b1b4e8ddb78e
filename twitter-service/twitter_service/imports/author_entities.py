"""Authors of a file as entities to track."""

from __future__ import annotations

from collections import Counter

from twitter_service.entities.model import NewEntity
from twitter_service.matching.entities import slug


def author_entities(authors: Counter[str], dataset: str | None) -> list[NewEntity]:
    """Return authors (tweets by handle) as entities, the most active first; without those known only by number.

    They are entities of the data set of the file; without one, of every data set.
    """
    datasets = [dataset] if dataset else []
    totals: Counter[str] = Counter()
    names: dict[str, str] = {}
    for name, count in authors.items():
        key = slug(name)
        if key and not name.startswith("id:"):
            totals[key] += count
            names.setdefault(key, name)
    by_activity = sorted(totals, key=lambda key: (-totals[key], key))
    return [
        NewEntity(
            key, names[key], "candidate", handles=[names[key]], aliases=[], hashtags=[], colour=None, datasets=datasets
        )
        for key in by_activity
    ]
