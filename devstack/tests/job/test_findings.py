"""What the main job makes of data sets in which nobody is tracked, all is invented, or two files lie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from castor_devstack.job.findings import MOST_TOTALS, Findings
from castor_devstack.job.html.page import page_of
from castor_devstack.job.ingress_client import ErrorAnswer
from castor_devstack.job.progress import Progress
from castor_devstack.job.request import FileHints, JobRequest
from castor_devstack.job.source import Source
from castor_devstack.job.span import Span
from castor_devstack.job.steps import Job
from castor_devstack.job.traced_client import TracedClient

Json = dict[str, Any]
TWEETS = {"2022-05-01": 5, "2022-05-02": 9, "2022-05-03": 1}
SPAN = Span(date(2022, 5, 1), date(2022, 5, 3))
QUOTE = {"id": "tweet:7", "quote": "hola", "author": "ana", "published_at": "2022-05-02T12:00:00Z"}


class Services:
    """The public interface where nobody is tracked; data sets by name, and the data sets that the only tweet is in."""

    def __init__(
        self,
        *,
        sets: dict[str, int] | None = None,
        tweet_in: tuple[str, ...] = (),
        duplicates: int = 0,
        created: tuple[str, ...] = (),
        followed: dict[str, list[str]] | None = None,
        tweets: dict[str, int] | None = None,
    ) -> None:
        self.url = "https://localhost"
        self.asked: list[str] = []
        self.sent: list[tuple[str, str, Any]] = []
        self._followed = followed or {}
        self._tweets = tweets or TWEETS
        self._sets = sets or {}
        self._tweet_in = tweet_in
        self._done = {"rows": 3, "accepted": 3 - duplicates, "duplicates": duplicates, "rejected": 0, "rejections": []}
        self._done["entities_created"] = list(created)

    def get(self, path: str, **query: Any) -> Json:
        self.asked.append(path)
        return {"data": self._data(path, query), "meta": {"next_cursor": None}}

    def call(self, method: str, path: str, body: Any = None, **_: Any) -> Json:
        self.asked.append(f"{method} {path.partition('?')[0]}")
        if path == "/v1/twitter/entities" and body["id"] in self._followed:
            raise ErrorAnswer(409, "It exists.", "entity_exists")
        self.sent.append((method, path, body))
        if "imports" in path:
            return {"data": {**self._done, **self._span()}}
        return {"data": {"answer": "x", "citations": [QUOTE] if self._tweet_in else []}}

    def _data(self, path: str, query: Json) -> Any:
        nothing = {"tweets": 0, "pending": 0, "feed_head": 0, "cursor": 0, "documents": 0, "targets_pending": 0}
        known: dict[str, Callable[[], Any]] = {
            "/v1/twitter/datasets": lambda: {"items": [self._set(name) for name in self._sets]},
            "/v1/twitter/tweets/7": lambda: {"text": "hola", "username": "ana", "datasets": list(self._tweet_in)},
            "/v1/twitter/counts/total": lambda: self._total(query["since"], query["until"]),
            "/v1/twitter/counts/daily": lambda: {"items": []},
            "/v1/twitter/entities": lambda: {"items": []},
            "/v1/trending/topics": lambda: {"items": []},
            "/v1/forecast/weeks": lambda: {
                "since": "2022-05-02", "until": "2022-05-08", "total_tweets": 0, "total_tweets_before": 0, "items": []
            },
        }  # fmt: skip
        if path.startswith("/v1/twitter/entities/"):
            return {"datasets": self._followed[path.rpartition("/")[2]]}
        return known[path]() if path in known else nothing

    def _set(self, name: str) -> Json:
        return {"name": name, "tweets": self._sets[name], **self._span()}

    def _span(self) -> Json:
        return {"first_tweet_at": "2022-05-01T12:00:00Z", "last_tweet_at": "2022-05-03T12:00:00Z"}

    def _total(self, since: str, until: str) -> Json:
        tweets = sum(count for day, count in self._tweets.items() if since <= day <= until)
        return {"tweets": tweets, "scored": 0, "positive": 0, "neutral": 0, "negative": 0, "models": []}


def findings(span: Span = SPAN, **given: Any) -> Findings:
    return Findings(cast(TracedClient, Services(**given)), Progress(), "a", span)


def job(dataset: str, **given: Any) -> Job:
    return Job(cast(TracedClient, Services(**given)), Progress(), dataset)


def test_where_nobody_is_tracked_days_are_counted_by_themselves() -> None:
    """Counts of entities say nothing then: the volume, the busiest day and the weeks are of all tweets all the same."""
    found = findings()
    assert {one["date"]: one["tweets"] for one in found.sentiment()["days"]} == TWEETS
    trending = found.trending()
    assert (trending["day"], trending["is_busiest"]) == ("2022-05-02", True)
    weeks = found.weeks()
    assert (weeks["total_tweets"], weeks["total_tweets_before"]) == (10, 5)
    assert found.notes == []


def test_of_a_long_period_without_anybody_no_day_is_called_the_busiest() -> None:
    """More days than are asked for one by one have no chart, and the topics are those of the last day, as it says."""
    found = findings(Span(date(2020, 1, 1), date(2022, 5, 3)))
    assert (SPAN.last - date(2020, 1, 1)).days > MOST_TOTALS
    assert found.sentiment()["days"] == []
    trending = found.trending()
    assert (trending["day"], trending["is_busiest"]) == ("2022-05-03", False)
    assert found.notes == ["volume_not_known"]
    result = job("a", sets={"a": 15}).main(None, JobRequest())
    result["sentiment"]["days"], result["trending"], result["notes"] = [], trending, found.notes
    text = page_of(result)
    assert "el último día del periodo" in text
    assert "el día con más tuits" not in text
    assert "Cuánto se escribió</h2>" not in text
    assert "no se sigue a nadie y el periodo pasa de un año" in text


@pytest.mark.parametrize(
    ("tweet_in", "link"),
    [(("a",), "https://x.com/ana/status/7"), (("sample",), None), (("a", "sample"), None)],
)
def test_an_invented_tweet_leads_to_nobody_on_x(tweet_in: tuple[str, ...], link: str | None) -> None:
    """A quote of the sample has no link, in whichever report it stands."""
    assert findings(tweet_in=tweet_in).answer("¿?")["citations"][0]["link"] == link


@pytest.mark.parametrize(("dataset", "synthetic"), [("sample", True), ("a", False)])
def test_the_report_of_the_sample_as_it_is_stored_says_that_it_is_invented(dataset: str, synthetic: bool) -> None:
    """It does so without the file, from the name of the data set alone."""
    result = job(dataset, sets={dataset: 15}, tweet_in=(dataset,)).main(None, JobRequest())
    assert result["synthetic"] is synthetic
    page = page_of(result)
    assert ("Datos inventados" in page, "https://x.com/" in page) == (synthetic, not synthetic)


@pytest.mark.parametrize(
    ("sets", "duplicates", "noted"),
    [({}, 0, False), ({"a": 3}, 3, False), ({"a": 2}, 2, False), ({"a": 3}, 0, True), ({"a": 500}, 1, True)],
    ids=["new", "again", "grown", "another-file", "mostly-another"],
)
def test_a_data_set_that_holds_another_file_is_said(
    sets: dict[str, int], duplicates: int, noted: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two files of one name share a data set; whoever reads the report of the second learns that it is of both."""
    file = tmp_path / "a.csv"
    file.write_text("x")
    job("a", sets=sets, duplicates=duplicates).main(Source(file, "text/csv"), JobRequest(file, "a"))
    assert ("note: the data set a held" in capsys.readouterr().out) is noted


def test_of_equal_days_the_topics_are_those_of_the_last() -> None:
    """Before the first day of a file there is nothing that tells what is usual."""
    assert findings(tweets=dict.fromkeys(TWEETS, 5)).trending()["day"] == "2022-05-03"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    file = tmp_path / "a.csv"
    file.write_text("x")
    return Source(file, "text/csv")


def test_authors_that_become_candidates_are_said(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever finds citizens in the table of candidates learns why, and how to name others; no note without them."""
    job("a", created=("ana", "luis")).main(source, JobRequest(source.path, "a"))
    assert "its 2 most active authors are shown as candidates; --follow" in capsys.readouterr().out
    job("a").main(source, JobRequest(source.path, "a"))
    assert "--follow" not in capsys.readouterr().out


def test_only_whom_the_command_names_is_followed(source: Source) -> None:
    """Each name becomes an entity of the data set; one that is there keeps its other data sets, or all of them."""
    services = Services(followed={"ana": ["b"], "luis": []})
    hints = FileHints(follow=("José Pérez", "Ana", "Luis"))
    Job(cast(TracedClient, services), Progress(), "a").main(source, JobRequest(source.path, "a", hints=hints))
    made = {"id": "jose-perez", "name": "José Pérez", "kind": "candidate", "datasets": ["a"]}
    changes = [sent for sent in services.sent if "entities" in sent[1]]
    assert changes == [
        ("POST", "/v1/twitter/entities", made), ("PATCH", "/v1/twitter/entities/ana", {"datasets": ["b", "a"]})
    ]  # fmt: skip
    assert any("track_authors=false" in path for _, path, _ in services.sent)
