"""Any number of tweets like those of the bundled sample: its texts again, by other accounts, some seconds later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import castor_devstack.sample

SAMPLE = Path(castor_devstack.sample.__path__[0]) / "tweets.jsonl"
SECONDS_BETWEEN_COPIES = 7
SEQUENCE_BITS = 22
NAME_LENGTH = 10


def lines(tweets: int) -> Iterator[bytes]:
    """Yield that many tweets as JSON Lines; their texts are those of the sample, so their scores are remembered."""
    sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    copies = (json.dumps(later(tweet, copy)) for copy in count(1) for tweet in sample)
    return (f"{line}\n".encode() for line in islice(copies, tweets))


def later(tweet: dict[str, Any], copy: int) -> dict[str, Any]:
    """Return the tweet as another account writes it in copy ``copy``: some seconds earlier, with an id of then."""
    seconds = SECONDS_BETWEEN_COPIES * copy
    moment = datetime.fromisoformat(tweet["created_at"]) - timedelta(seconds=seconds)
    return {
        **tweet,
        "id": str(int(tweet["id"]) - (1000 * seconds << SEQUENCE_BITS) + copy),
        "username": f"{tweet['username'][:NAME_LENGTH]}_{copy}",
        "created_at": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
    }
