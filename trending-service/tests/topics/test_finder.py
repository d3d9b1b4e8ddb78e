"""Topics of a stream on a real PostgreSQL: bursts are found, the usual is not, the past can be replayed."""

from __future__ import annotations

import asyncio
import csv
import os
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import pytest

from trending_service.detection.clusters import BurstingTerm, Cluster, cluster
from trending_service.topics.finder import Finder
from trending_service.topics.model import Question, SentimentShares, TopicList
from trending_service.tracking.service import seen_of
from trending_service.tracking.steps import step

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


async def _topics(finder: Finder, **asked: Any) -> TopicList:
    return await finder.find(Question(**{"as_of": MORNING, "window_hours": 24, "limit": 10, "min_tweets": 5, **asked}))


def _names(found: TopicList) -> list[str]:
    return [topic.topic for topic in found.items]


async def test_bursts_are_found_and_the_usual_is_not(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Injected bursts are the only topics of a stream with evergreen words, a daily rhythm and chance words."""
    _fill_usual(stream)
    _say(stream, "#ParoNacional", times=12, authors=12)
    _say(stream, "reforma pensional", times=10, authors=9)
    _say(stream, "en Buenaventura", times=8, authors=8)
    await fill(stream.changes)
    for hours in (6, 24):
        found = await _topics(finder, window_hours=hours)
        assert set(_names(found)) == {"#ParoNacional", "reforma pensional", "Buenaventura"}
        assert all(topic.tweets >= 8 and topic.share_change > 10 and topic.score > 3 for topic in found.items)


async def test_a_greeting_that_comes_every_morning_is_no_topic_of_the_morning(
    finder: Finder, fill: Fill, stream: Stream
) -> None:
    """In a window of three hours a daily term makes a third of the tweets and still is expected."""
    _fill_usual(stream)
    await fill(stream.changes)
    assert (
        sum("#FelizMañana" in change["text"] for change in stream.changes if change["created_at"] > "2022-05-27T11") > 3
    )
    assert (await _topics(finder, window_hours=3, min_tweets=3)).items == []


async def test_a_flood_by_one_account_stands_behind_a_topic_of_many(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Forty tweets of one account weigh less than ten of ten accounts."""
    _fill_usual(stream)
    _say(stream, "#Inundación", times=40, authors=1)
    _say(stream, "#ParoNacional", times=10, authors=10)
    await fill(stream.changes)
    found = await _topics(finder)
    assert _names(found)[0] == "#ParoNacional"
    flood = next((topic for topic in found.items if topic.topic == "#Inundación"), None)
    assert flood is None or flood.score < found.items[0].score / 2


async def test_one_account_that_names_many_is_no_topic(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Fifteen tweets of one account that say to repeat fifteen others; as retweets of X they are fifteen voices."""
    _fill_usual(stream)
    first = len(stream.changes)
    for number in range(15):
        at = MORNING - timedelta(minutes=20 * number + 1)
        stream.tweet(at, "eco", f"RT @ghost{number}: calle{'abcdefghijklmno'[number]} #Montaje de hoy")
    await fill(stream.changes)
    assert _names(await _topics(finder)) == []
    for change in stream.changes[first:]:
        stream.change(**{**change, "retweet_of": "5"})
    await fill(stream.changes)
    assert "#Montaje" in _names(await _topics(finder))


async def test_a_topic_is_followed_by_the_keys_of_its_terms(finder: Finder, fill: Fill, stream: Stream) -> None:
    """An entity, a link, a tag: when another of its terms becomes its name, it is the same trend."""
    _fill_usual(stream)
    first = len(stream.changes)
    _say(stream, "#Petro https://eltiempo.com/x", times=12, authors=12)
    for change in stream.changes[first:]:
        change["entities"] = ["petro"]
    await fill(stream.changes)
    (topic,) = (await _topics(finder)).items
    assert {"#petro", "entity:petro", "domain:eltiempo.com"} <= set(topic.keys)
    assert len(topic.keys) == len(topic.terms)
    trends = step([], [replace(seen_of(topic), key="entity:petro")], "", MORNING).trends
    assert step(trends, [replace(seen_of(topic), key="#petro")], "", MORNING).events == []


async def test_terms_are_clustered_in_a_thread(
    finder: Finder, fill: Fill, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of terms take seconds: other requests are answered meanwhile."""
    threads: list[threading.Thread] = []

    def noted(terms: Sequence[BurstingTerm], tweets: int) -> list[Cluster]:
        threads.append(threading.current_thread())
        return cluster(terms, tweets)

    monkeypatch.setattr("trending_service.topics.finder.cluster", noted)
    _say(stream, "#ParoNacional", times=12, authors=12)
    await fill(stream.changes)
    await _topics(replace(finder, in_thread=asyncio.to_thread))
    assert threads
    assert threading.main_thread() not in threads


async def test_of_a_window_with_too_many_tweets_the_newest_are_looked_at(
    finder: Finder, fill: Fill, stream: Stream
) -> None:
    """More than the memory of the service is meant for: the answer is that of a shorter window, and says so."""
    _fill_usual(stream)
    for minute in range(1, 13):
        own = SYLLABLES[minute % 12] * 3
        stream.tweet(MORNING - timedelta(minutes=minute), f"author{minute}", f"{own} #ParoNacional {own[::-1]}")
    await fill(stream.changes)
    most = 11
    found = await _topics(replace(finder, method=replace(finder.method, max_window_tweets=most)))
    assert (found.tweets_in_window, found.degraded) == (most, ["window"])
    assert found.looked_since > MORNING - timedelta(minutes=most + 1)
    (topic,) = found.items
    assert (topic.topic, topic.first_seen_at) == ("#ParoNacional", found.looked_since)
    assert "accounts in 12 min, none in" in topic.why
    whole = await _topics(finder)
    assert (whole.looked_since, whole.degraded) == (MORNING - timedelta(hours=24), None)
    assert whole.tweets_in_window > most


async def test_too_many_tweets_of_one_moment_are_answered(finder: Finder, fill: Fill, stream: Stream) -> None:
    """All in the same second as the end of the window: the shortest window that there is."""
    for number in range(12):
        stream.tweet(MORNING, f"author{number}", f"#ParoNacional {SYLLABLES[number] * 3}")
    await fill(stream.changes)
    found = await _topics(replace(finder, method=replace(finder.method, max_window_tweets=11)))
    assert (found.tweets_in_window, found.looked_since) == (11, MORNING)


async def test_among_four_accounts_a_topic_of_one_still_trends(finder: Finder, fill: Fill, stream: Stream) -> None:
    """A candidate's new slogan is a topic where only candidates are followed."""
    for day in range(1, 29):
        for author in ("a", "b", "c", "d"):
            stream.tweet(MORNING - timedelta(days=day), author, f"salud educación {author * 3}{day} seguridad {day}")
    _say(stream, "#VotaPorMí", times=8, authors=1)
    await fill(stream.changes)
    (topic,) = (await _topics(finder)).items
    assert (topic.topic, topic.authors) == ("#VotaPorMí", 1)


async def test_copies_of_a_text_count_once(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Thirty accounts that post one text are one voice."""
    _fill_usual(stream)
    for number in range(30):
        at = MORNING - timedelta(minutes=number + 1)
        stream.tweet(at, f"bot{number}", f"@victima{number} mañana todos contra #Fraude masivo en Soacha {number}")
    await fill(stream.changes)
    found = await _topics(finder, min_tweets=2)
    assert found.items == []
    assert found.tweets_in_window > 30


async def test_a_past_answer_stays_the_same_when_later_tweets_come(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Replayed at the same as_of, the whole answer is equal; at a later one it is not."""
    _fill_usual(stream)
    _say(stream, "#ParoNacional", times=12, authors=12)
    await fill(stream.changes)
    before = await _topics(finder)
    later = len(stream.changes)
    _say(stream, "#paronacional", times=200, authors=50, until=MORNING + timedelta(hours=12))
    _say(stream, "terremoto", times=90, authors=50, until=MORNING + timedelta(hours=12))
    await fill(stream.changes[later:])
    assert await _topics(finder) == before
    assert _names(before) == ["#ParoNacional"]
    assert "terremoto" in _names(await _topics(finder, as_of=MORNING + timedelta(hours=13)))


async def test_one_event_under_many_names_is_one_topic(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Hashtag variants, the word and the phrase become one topic that counts each tweet once."""
    _fill_usual(stream)
    for times, text in ((8, "debate presidencial #Debate2022"), (5, "debate #debate2022"), (4, "#Débate2022")):
        _say(stream, text, times=times, authors=17)
    await fill(stream.changes)
    (topic,) = (await _topics(finder)).items
    assert (topic.topic, topic.kind, topic.tweets) == ("#Debate2022", "hashtag", 17)
    assert {"debate", "debate presidencial"} <= set(topic.terms)


async def test_a_topic_says_why_in_numbers(finder: Finder, fill: Fill, stream: Stream) -> None:
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
    (topic,) = (await _topics(finder)).items
    assert topic.why == (
        "7 tweets from 7 accounts in 24 h, none in the 28 days before; began 2022-05-27 03:55 (Bogota)"
    )
    assert topic.first_seen_at == MORNING - timedelta(hours=5, minutes=5)
    assert topic.peak_at == MORNING - timedelta(hours=6)
    assert topic.scored == 4
    assert topic.sentiment == SentimentShares(positive=0.0, neutral=0.25, negative=0.75)
    assert set(topic.sample_tweet_ids) <= {change["id"] for change in stream.changes}


async def test_what_returns_stronger_is_compared_with_its_past(finder: Finder, fill: Fill, stream: Stream) -> None:
    """The sentence tells the ratio to what was expected when the term was there before."""
    _fill_usual(stream)
    for day in range(2, 28):
        _say(stream, f"#Minga hoy{day}", times=1, authors=5, until=MORNING - timedelta(days=day))
    _say(stream, "#Minga", times=20, authors=20)
    await fill(stream.changes)
    (topic,) = (await _topics(finder)).items
    assert 0.5 < topic.expected < 2.5
    assert f"{topic.tweets / topic.expected:.1f}x the {topic.expected:.1f} expected from the 28 days" in topic.why
    assert topic.past == "evergreen"
    assert topic.sentiment is None


async def test_without_a_past_the_answer_says_degraded(finder: Finder, fill: Fill, stream: Stream) -> None:
    """The first day of a stream has no baseline, and the answer and each sentence admit it."""
    _say(stream, "#ParoNacional", times=12, authors=12)
    await fill(stream.changes)
    found = await _topics(finder)
    assert found.degraded == ["baseline"]
    assert "none in the 28 days before, of which no tweet is stored: what is usual is not known" in found.items[0].why
    stream.tweet(MORNING - timedelta(days=3), "other", "calma en la plaza")
    await fill(stream.changes)
    assert "of which too few tweets are stored: what is usual is not known" in (await _topics(finder)).items[0].why


async def test_an_empty_store_has_no_topics(finder: Finder) -> None:
    """No tweet, no topic, no error."""
    found = await _topics(finder)
    assert (found.items, found.tweets_in_window, found.terms_tested) == ([], 0, 0)


def _real_tweets() -> list[dict[str, str]]:
    path = Path(os.environ.get("CASTOR_REAL_TWEETS", ""))
    if not path.is_file():
        pytest.skip("no file of real tweets; name one in CASTOR_REAL_TWEETS")
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if "2022-04-20" < row["created_at"] < "2022-05-29"]


async def test_the_day_of_a_real_debate(finder: Finder, fill: Fill, stream: Stream) -> None:
    """On the day of the last debate of 2022 the debate and new slogans trend, the candidates' daily tags do not."""
    for row in _real_tweets():
        stream.change(**row)
    await fill(stream.changes)
    for min_tweets in (2, 3):
        found = await _topics(finder, as_of=datetime(2022, 5, 28, 5, tzinfo=UTC), min_tweets=min_tweets)
        names = _names(found)
        assert len(names) >= 5
        assert names[0] == "#DebateFinal"
        assert {"#fajardoenblu", "#yovotopetropresidente"} <= {name.lower() for name in names}
        assert not {"#LigaAnticorrupcion", "#RodolfoPresidente", "Colombia"} & set(names)


async def test_a_label_has_its_own_numbers(finder: Finder, fill: Fill, stream: Stream) -> None:
    """What stands beside a name was counted for that name; the numbers of all its terms stand in ``cluster``."""
    _fill_usual(stream)
    _say(stream, "#Debate2022", times=12, authors=12)
    _say(stream, "gran #Debate2022 presidencial", times=8, authors=8)
    await fill(stream.changes)
    (topic,) = (await _topics(finder)).items
    named = [change for change in stream.changes if topic.topic.lower() in change["text"].lower()]
    assert (topic.tweets, topic.authors) == (len(named), len({change["username"] for change in named}))
    assert topic.cluster.tweets >= topic.tweets
    assert topic.cluster.terms == topic.terms


async def test_a_verb_of_the_only_subject_is_no_topic_beside_it(finder: Finder, fill: Fill, stream: Stream) -> None:
    """'conmemoramos' in a quarter of the tweets of a birthday, on a morning on which nothing else is talked about."""
    _fill_usual(stream)
    _say(stream, "vive Benito Juárez", times=18, authors=18)
    _say(stream, "conmemoramos a Benito Juárez", times=6, authors=6)
    await fill(stream.changes)
    assert _names(await _topics(finder)) == ["Benito Juárez"]


async def test_rivals_are_not_one_topic_for_a_verb_that_both_use(finder: Finder, fill: Fill, stream: Stream) -> None:
    """'vota Fico' and 'vota Petro' are two topics, even where one tweet names both."""
    _fill_usual(stream)
    _say(stream, "vota Fico Gutiérrez", times=9, authors=9)
    _say(stream, "vota Gustavo Petro", times=9, authors=9)
    _say(stream, "vota Fico Gutiérrez o vota Gustavo Petro", times=1, authors=1)
    await fill(stream.changes)
    found = await _topics(finder)
    assert {"fico", "petro"} <= {word for topic in found.items for word in topic.topic.lower().split()}
    assert not [topic for topic in found.items if {"fico", "petro"} <= set(" ".join(topic.terms).lower().split())]


async def test_a_quiet_stream_says_so_and_what_would_have_been_needed(
    finder: Finder, fill: Fill, stream: Stream
) -> None:
    """No topic, the sentence names a number of tweets, and that many new ones make a topic."""
    _fill_usual(stream)
    await fill(stream.changes)
    found = await _topics(finder)
    assert found.items == []
    assert found.needed_tweets is not None
    assert found.quiet == (
        f"No topic stands out among {found.terms_tested} terms of {found.tweets_in_window} tweets in 24 h; "
        f"a new term would have needed {found.needed_tweets} tweets of different accounts within an hour"
    )
    added = [
        stream.tweet(
            MORNING - timedelta(minutes=2 * number + 1), f"author{number}", f"palabra{number} #Sismo casa{number}"
        )
        for number in range(found.needed_tweets + 1)
    ]
    await fill(added)
    assert "#Sismo" in _names(await _topics(finder))


async def test_a_place_has_topics_of_its_own(finder: Finder, fill: Fill, stream: Stream) -> None:
    """With a scope only its tweets are the stream, its baseline included."""
    for day in range(1, 28):
        for number in range(8):
            stream.tweet(
                MORNING - timedelta(days=day, hours=number), f"a{number}", f"agua{day}{number} luz", places=["cali"]
            )
    for number in range(8):
        at = MORNING - timedelta(minutes=7 * number)
        stream.tweet(at, f"a{number}", f"#Paro en calle{number}", places=["cali"])
        stream.tweet(at, f"a{number}", f"#Feria en plaza{number}", places=["bogota"])
    await fill(stream.changes)
    assert set(_names(await _topics(finder))) == {"#Paro", "#Feria"}
    assert _names(await _topics(finder, scopes=("place:cali",))) == ["#Paro"]


async def test_no_day_ends_for_a_trend(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Minute by minute around midnight, in Bogotá and in UTC, the score of a steady burst makes no jump."""
    _fill_usual(stream)
    midnight = datetime(2022, 5, 27, 5, tzinfo=UTC)
    for number in range(80):
        at = midnight - timedelta(minutes=240 - 6 * number)
        stream.tweet(at, f"author{number}", f"#ParoNacional vereda{number}")
    await fill(stream.changes)
    for turn in (midnight, midnight - timedelta(hours=2)):
        scores = []
        for minute in range(-20, 21, 4):
            found = await _topics(finder, as_of=turn + timedelta(minutes=minute), window_hours=6)
            scores.append(next(topic.score for topic in found.items if topic.topic == "#ParoNacional"))
        assert max(abs(after / before - 1) for before, after in pairwise(scores)) < 0.35


async def test_two_compositions_of_a_letter_are_one_term(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Decomposed and composed accents count together, the name is shown composed and whole."""
    _fill_usual(stream)
    for number in range(12):
        text = f"palabra{number} señalización #EducaciónPública"
        composed = normalize("NFD" if number % 2 else "NFC", text)
        stream.tweet(MORNING - timedelta(minutes=number), f"author{number}", composed)
    await fill(stream.changes)
    (topic,) = (await _topics(finder)).items
    assert (topic.topic, topic.tweets) == ("#EducaciónPública", 12)
    assert "señalización" in topic.terms
    assert not [term for term in topic.terms if "alizacio" in term]
