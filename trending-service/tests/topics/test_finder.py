"""Topics of a stream on a real PostgreSQL: bursts are found, the usual is not, the past can be replayed."""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trending_service.detection.burst import burst_of
from trending_service.signals.model import Baseline
from trending_service.signals.repository import SignalRepository
from trending_service.topics.finder import find_topics
from trending_service.topics.model import Method, Question, SentimentShares, TopicList

if TYPE_CHECKING:
    from conftest import Fill, Stream

MORNING = datetime(2022, 5, 27, 14, tzinfo=UTC)  # 09:00 in Bogotá
RHYTHM = [1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 6, 6, 7, 7, 6, 5, 5, 6, 8, 10, 10, 8, 5, 2]
SYLLABLES = ("ba", "lo", "mi", "tu", "re", "ca", "no", "pe", "gui", "sal", "tor", "den")


def _usual_tweets(days: int, chance: random.Random) -> Iterator[tuple[datetime, str, str]]:
    """A stream with a daily rhythm: evergreen words all day, a greeting every morning, a vocabulary of thousands."""
    for hour in range(days * 24):
        at = MORNING - timedelta(hours=hour + 1)
        local = (at.hour - 5) % 24
        for _ in range(chance.randrange(RHYTHM[local] + 1)):
            words = ["".join(chance.choices(SYLLABLES, k=4)) for _ in range(4)]
            words += [
                word
                for word, share in (("economía", 0.3), ("Colombia", 0.4), ("#Elecciones", 0.2))
                if chance.random() < share
            ]
            if local in (6, 7, 8) and chance.random() < 0.9:
                words.append("#FelizMañana")
            chance.shuffle(words)
            yield at + timedelta(seconds=chance.randrange(3600)), f"author{chance.randrange(80)}", " ".join(words)


def _fill_usual(stream: Stream, days: int = 29) -> None:
    for at, author, text in sorted(_usual_tweets(days, random.Random(7))):
        stream.tweet(at, author, text)


def _say(stream: Stream, text: str, *, times: int, authors: int, until: datetime = MORNING) -> None:
    """Add ``times`` tweets with ``text`` and something of their own in the hours before ``until``."""
    chance = random.Random(text)
    for number in range(times):
        own = "".join(chance.choices(SYLLABLES, k=5)), "".join(chance.choices(SYLLABLES, k=5))
        at = until - timedelta(seconds=chance.randrange(1, 6 * 3600))
        stream.tweet(at, f"author{number % authors}", f"{own[0]} {text} {own[1]}")


async def _topics(signals: SignalRepository, method: Method, **asked: Any) -> TopicList:
    return await find_topics(
        signals, method, Question(**{"as_of": MORNING, "window_hours": 24, "limit": 10, "min_tweets": 5, **asked})
    )


def _names(found: TopicList) -> list[str]:
    return [topic.topic for topic in found.items]


async def test_bursts_are_found_and_the_usual_is_not(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """Injected bursts are the only topics of a stream with evergreen words, a daily rhythm and chance words."""
    _fill_usual(stream)
    _say(stream, "#ParoNacional", times=12, authors=12)
    _say(stream, "reforma pensional", times=10, authors=9)
    _say(stream, "en Buenaventura", times=8, authors=8)
    await fill(stream.changes)
    for hours in (6, 24):
        found = await _topics(signals, method, window_hours=hours)
        assert set(_names(found)) == {"#ParoNacional", "reforma pensional", "Buenaventura"}
        assert all(topic.tweets >= 8 and topic.share_change > 10 and topic.score > 3 for topic in found.items)


async def test_a_greeting_that_comes_every_morning_is_no_topic_of_the_morning(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """In a window of three hours a daily term makes a third of the tweets and still is expected."""
    _fill_usual(stream)
    await fill(stream.changes)
    window = method.window(Question(MORNING, 3, 10, 3))
    used = (await signals.candidates(window, min_tweets=3, limit=1000))["#felizmañana"]
    whole = (await signals.window(window)).stream
    all_day = replace(used, baseline=Baseline(used.baseline.total, used.baseline.total // 8, used.baseline.total // 56))
    assert burst_of(all_day, whole).score > 2 > 1 > burst_of(used, whole).score
    assert (await _topics(signals, method, window_hours=3, min_tweets=3)).items == []


async def test_a_flood_by_one_account_stands_behind_a_topic_of_many(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """Forty tweets of one account weigh less than ten of ten accounts."""
    _fill_usual(stream)
    _say(stream, "#Inundación", times=40, authors=1)
    _say(stream, "#ParoNacional", times=10, authors=10)
    await fill(stream.changes)
    found = await _topics(signals, method)
    assert _names(found)[0] == "#ParoNacional"
    flood = next((topic for topic in found.items if topic.topic == "#Inundación"), None)
    assert flood is None or flood.score < found.items[0].score / 2


async def test_among_four_accounts_a_topic_of_one_still_trends(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """A candidate's new slogan is a topic where only candidates are followed."""
    for day in range(1, 29):
        for author in ("a", "b", "c", "d"):
            stream.tweet(MORNING - timedelta(days=day), author, f"salud educación {author * 3}{day} seguridad {day}")
    _say(stream, "#VotaPorMí", times=8, authors=1)
    await fill(stream.changes)
    (topic,) = (await _topics(signals, method)).items
    assert (topic.topic, topic.authors) == ("#VotaPorMí", 1)


async def test_copies_of_a_text_count_once(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """Thirty accounts that post one text are one voice."""
    _fill_usual(stream)
    for number in range(30):
        at = MORNING - timedelta(minutes=number + 1)
        stream.tweet(at, f"bot{number}", f"@victima{number} mañana todos contra #Fraude masivo en Soacha {number}")
    await fill(stream.changes)
    found = await _topics(signals, method, min_tweets=2)
    assert found.items == []
    assert found.tweets_in_window > 30


async def test_a_past_answer_stays_the_same_when_later_tweets_come(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """Replayed at the same as_of, the whole answer is equal; at a later one it is not."""
    _fill_usual(stream)
    _say(stream, "#ParoNacional", times=12, authors=12)
    await fill(stream.changes)
    before = await _topics(signals, method)
    later = len(stream.changes)
    _say(stream, "#paronacional", times=200, authors=50, until=MORNING + timedelta(hours=12))
    _say(stream, "terremoto", times=90, authors=50, until=MORNING + timedelta(hours=12))
    await fill(stream.changes[later:])
    assert await _topics(signals, method) == before
    assert _names(before) == ["#ParoNacional"]
    assert "terremoto" in _names(await _topics(signals, method, as_of=MORNING + timedelta(hours=13)))


async def test_one_event_under_many_names_is_one_topic(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """Hashtag variants, the word and the phrase become one topic that counts each tweet once."""
    _fill_usual(stream)
    for times, text in ((8, "debate presidencial #Debate2022"), (5, "debate #debate2022"), (4, "#Débate2022")):
        _say(stream, text, times=times, authors=17)
    await fill(stream.changes)
    (topic,) = (await _topics(signals, method)).items
    assert (topic.topic, topic.kind, topic.tweets) == ("#Debate2022", "hashtag", 17)
    assert {"debate", "debate presidencial"} <= set(topic.terms)


async def test_a_topic_says_why_in_numbers(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """The sentence, the times and the shares are those of the tweets of the topic."""
    _fill_usual(stream)
    first = [
        stream.tweet(MORNING - timedelta(hours=5, minutes=number), f"author{number}", f"#ParoNacional en calle{number}")
        for number in range(6)
    ]
    stream.tweet(MORNING - timedelta(hours=1), "author9", "#ParoNacional otra cosa tranquila")
    for label, change in zip(("negative", "negative", "negative", "neutral"), first, strict=False):
        stream.score(change, label)
    await fill(stream.changes)
    (topic,) = (await _topics(signals, method)).items
    assert topic.why == (
        "7 tweets from 7 accounts in 24 h, none in the 28 days before; began 2022-05-27 03:55 (Bogota)"
    )
    assert topic.first_seen_at == MORNING - timedelta(hours=5, minutes=5)
    assert topic.peak_at == MORNING - timedelta(hours=6)
    assert topic.scored == 4
    assert topic.sentiment == SentimentShares(positive=0.0, neutral=0.25, negative=0.75)
    assert set(topic.sample_tweet_ids) <= {change["id"] for change in stream.changes}


async def test_what_returns_stronger_is_compared_with_its_past(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """The sentence tells the ratio to what was expected when the term was there before."""
    _fill_usual(stream)
    for day in range(2, 28):
        _say(stream, f"#Minga hoy{day}", times=1, authors=5, until=MORNING - timedelta(days=day))
    _say(stream, "#Minga", times=20, authors=20)
    await fill(stream.changes)
    (topic,) = (await _topics(signals, method)).items
    assert 0.5 < topic.expected < 2.5
    assert f"{topic.tweets / topic.expected:.0f}."[:2] in topic.why
    assert "expected from the 28 days before" in topic.why
    assert topic.sentiment is None


async def test_without_a_past_the_answer_says_degraded(
    signals: SignalRepository, fill: Fill, stream: Stream, method: Method
) -> None:
    """The first day of a stream has no baseline, and the answer admits it."""
    _say(stream, "#ParoNacional", times=12, authors=12)
    await fill(stream.changes)
    assert (await _topics(signals, method)).degraded == ["baseline"]


async def test_an_empty_store_has_no_topics(signals: SignalRepository, method: Method) -> None:
    """No tweet, no topic, no error."""
    found = await _topics(signals, method)
    assert (found.items, found.tweets_in_window, found.terms_tested) == ([], 0, 0)


def _real_tweets() -> list[dict[str, str]]:
    path = Path(os.environ.get("CASTOR_REAL_TWEETS", ""))
    if not path.is_file():
        pytest.skip("no file of real tweets; name one in CASTOR_REAL_TWEETS")
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if "2022-04-20" < row["created_at"] < "2022-05-29"]


async def test_the_day_of_a_real_debate(signals: SignalRepository, fill: Fill, stream: Stream, method: Method) -> None:
    """On the day of the last debate of 2022 the debate and new slogans trend, the candidates' daily tags do not."""
    for row in _real_tweets():
        stream.change(**row)
    await fill(stream.changes)
    for min_tweets in (2, 3):
        found = await _topics(signals, method, as_of=datetime(2022, 5, 28, 5, tzinfo=UTC), min_tweets=min_tweets)
        names = _names(found)
        assert len(names) >= 5
        assert names[0] == "#DebateFinal"
        assert {"#FajardoEnBlu", "#YoVotoPetroPresidente", "seguridad alimentaria"} <= set(names)
        assert not {"#LigaAnticorrupcion", "#RodolfoPresidente", "Colombia"} & set(names)
