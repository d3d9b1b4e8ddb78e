"""Makes the synthetic corpus: ``python -m castor_devstack.sample.generate``.

The same seed gives the same bytes. Tweets arrive by a Poisson process whose rate follows the hour of the day and
the day of the week in Bogotá and grows towards election day; events add bursts that rise at once and decay
with their half-life. Nothing in it was written by or about a real person.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
BOGOTA = timezone(timedelta(hours=-5))
FIRST_DAY = datetime(2026, 2, 1, tzinfo=BOGOTA)
DAYS = 120
TWEETS = 2000
CITIZENS = 420
SEED = 20260531
_SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
_HOURS = (2, 1, 1, 1, 1, 3, 7, 10, 10, 9, 8, 9, 11, 10, 8, 8, 9, 11, 13, 16, 17, 14, 9, 5)
_WEEKDAYS = (1.0, 1.05, 1.05, 1.0, 0.95, 0.75, 0.7)
Phrases = dict[str, Any]


@dataclass(frozen=True, order=True)
class Draft:
    """A tweet before it has an id."""

    at: datetime
    username: str
    text: str


class Writer:
    """Writes tweets from the phrases, with one source of chance."""

    def __init__(self, phrases: Phrases, chance: random.Random) -> None:
        self.phrases = phrases
        self.chance = chance
        self.candidates: list[dict[str, Any]] = phrases["candidates"]
        self.by_id = {candidate["id"]: candidate for candidate in self.candidates}
        self.citizens = [self._username() for _ in range(CITIZENS)]

    def _username(self) -> str:
        first = self.chance.choice(
            ["Ana", "Luz", "Juan", "Caro", "Pipe", "Nata", "Dani", "Leo", "Sofi", "Andre", "Vale", "Memo"]
        )
        last = self.chance.choice(
            ["Rojas", "Botero", "Pinto", "Cano", "Mesa", "Ríos", "Vega", "Lara", "Nieto", "Gil", "Mora", "Paz"]
        )
        return f"{first}{last}".replace("í", "i") + f"_{self.chance.randrange(10, 9999)}"

    def background(self, at: datetime) -> Draft:
        """Write an ordinary tweet of a citizen, a newsroom or a candidate."""
        candidate = self.chance.choices(self.candidates, [c["share"] for c in self.candidates])[0]
        kind = self.chance.random()
        if kind < 0.16:
            return Draft(at, candidate["handle"], self._own(candidate))
        if kind < 0.24:
            outlet = self.chance.choice(self.phrases["media"])["handle"]
            return Draft(at, outlet, self._statement(candidate, "neutral", 0.0))
        return Draft(at, self._citizen(), self._statement(candidate, self._mood(candidate["mood"]), 0.25))

    def burst(self, at: datetime, event: dict[str, Any]) -> Draft:
        """Write a tweet about an event."""
        candidate = self.by_id[self.chance.choice(event["about"])]
        text = self._filled(self.chance.choice(event["says"]), candidate)
        if self.chance.random() < 0.72:
            text += f" #{event['hashtag']}"
        mood = self._mood(event["mood"])
        return Draft(at, self._citizen(), self._dressed(text, mood))

    def _citizen(self) -> str:
        # Some write a lot, most now and then.
        return self.citizens[int(CITIZENS * self.chance.random() ** 2)]

    def _mood(self, lean: float) -> str:
        weights = [0.36 + lean * 0.35, 0.28, 0.36 - lean * 0.35]
        return self.chance.choices(["positive", "neutral", "negative"], weights)[0]

    def _own(self, candidate: dict[str, Any]) -> str:
        text = self._filled(self.chance.choice(self.phrases["own"]), candidate)
        return f"{text} #{candidate['hashtag']}" if self.chance.random() < 0.5 else text

    def _statement(self, candidate: dict[str, Any], mood: str, hashtag_share: float) -> str:
        text = self._filled(self.chance.choice(self.phrases["statements"][mood]), candidate)
        if self.chance.random() < hashtag_share:
            text += f" #{candidate['hashtag']}"
        return self._dressed(text, mood)

    def _dressed(self, text: str, mood: str) -> str:
        opener = self.chance.choice(self.phrases["openers"][mood])
        closer = self.chance.choice(self.phrases["closers"]["any"] + self.phrases["closers"][mood])
        begun = text if (opener and opener[-1] in ",:") or opener.endswith("que") else text[0].upper() + text[1:]
        return " ".join(part for part in (opener, begun, closer) if part)

    def _filled(self, template: str, candidate: dict[str, Any]) -> str:
        axis = self.chance.choice(candidate["axes"] if self.chance.random() < 0.7 else list(self.phrases["axes"]))
        names = [f"@{candidate['handle']}", candidate["name"], candidate["short"]]
        filled = template.format(
            who=self.chance.choices(names, [0.5, 0.3, 0.2])[0],
            topic=self.chance.choice(self.phrases["axes"][axis]),
            city=self.chance.choice(self.phrases["cities"]),
        )
        return filled.replace(" de el ", " del ").replace(" a el ", " al ")


def _ordinary_moments(chance: random.Random, count: int) -> Iterator[datetime]:
    hours = [FIRST_DAY + timedelta(hours=hour) for hour in range(DAYS * 24)]
    weights = [
        _HOURS[moment.hour] * _WEEKDAYS[moment.weekday()] * (1 + index / len(hours))
        for index, moment in enumerate(hours)
    ]
    for moment in chance.choices(hours, weights, k=count):
        yield moment + timedelta(seconds=chance.randrange(3600))


def _burst_moments(chance: random.Random, event: dict[str, Any]) -> Iterator[datetime]:
    start = FIRST_DAY + timedelta(days=event["day"], hours=event["hour"])
    for _ in range(event["tweets"]):
        yield start + timedelta(hours=chance.expovariate(0.693 / event["half_life"]))


def drafts(phrases: Phrases, chance: random.Random) -> list[Draft]:
    """Return all tweets, oldest first."""
    writer = Writer(phrases, chance)
    in_bursts = sum(event["tweets"] for event in phrases["events"])
    written = [writer.background(moment) for moment in _ordinary_moments(chance, TWEETS - in_bursts)]
    for event in phrases["events"]:
        written += [writer.burst(moment, event) for moment in _burst_moments(chance, event)]
    end = FIRST_DAY + timedelta(days=DAYS)
    return sorted(draft for draft in written if draft.at < end)


def tweet(draft: Draft, number: int, chance: random.Random) -> dict[str, Any]:
    """Return ``draft`` as a flat X API v2 object; its id is a snowflake of its moment."""
    milliseconds = int(draft.at.timestamp() * 1000) + number % 1000
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    likes = int(chance.paretovariate(1.3)) - 1
    return {
        "id": str((milliseconds - _SNOWFLAKE_EPOCH_MS) << 22 | number % 4096),
        "username": draft.username,
        "created_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "text": draft.text,
        "lang": "es",
        "public_metrics": {
            "like_count": likes,
            "retweet_count": likes // 4,
            "reply_count": likes // 9,
            "quote_count": 0,
        },
    }


def metadata(phrases: Phrases, count: int) -> dict[str, Any]:
    """Return what the corpus is, and whom to track in it."""
    entities = [
        {
            "id": candidate["id"],
            "name": candidate["name"],
            "kind": "candidate",
            "handles": [candidate["handle"]],
            "aliases": [candidate["name"], candidate["short"]],
            "hashtags": [candidate["hashtag"]],
            "colour": candidate["colour"],
        }
        for candidate in phrases["candidates"]
    ]
    return {
        "synthetic": True,
        "description": "Invented tweets about invented candidates; no real person wrote or is meant by any of it.",
        "seed": SEED,
        "tweets": count,
        "question": "¿Qué se dice de los contratos de la represa?",
        "entities": entities,
    }


def main() -> None:
    """Write tweets.jsonl and metadata.json beside this file."""
    phrases: Phrases = yaml.safe_load((HERE / "phrases.yaml").read_text())
    chance = random.Random(SEED)
    tweets = [tweet(draft, number, chance) for number, draft in enumerate(drafts(phrases, chance))]
    lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in tweets)
    (HERE / "tweets.jsonl").write_text(lines)
    about = json.dumps(metadata(phrases, len(tweets)), ensure_ascii=False, indent=2)
    (HERE / "metadata.json").write_text(about + "\n")


if __name__ == "__main__":
    main()
