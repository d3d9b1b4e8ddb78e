"""The main job on the whole system, with good input and with bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.job.source import SAMPLE
from castor_devstack.testing_system import System

from .test_outages import client_of, until

pytestmark = pytest.mark.timeout(600)
TWEETS = 2000


def demo(system: System, report: Path, file: Path | None = None) -> dict[str, Any]:
    """Run the main job and return its report."""
    given = ["--input", str(file)] if file else []
    system.castor("demo", *given, "--report", str(report))
    result: dict[str, Any] = json.loads(report.read_text())
    return result


@pytest.fixture(scope="module")
def sample(system: System, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return demo(system, tmp_path_factory.mktemp("sample") / "r.json")


def test_the_sample_gives_topics_forecasts_and_a_cited_answer(sample: dict[str, Any]) -> None:
    """All tweets are imported and scored; the result has topics, a forecast per candidate and a cited answer."""
    assert sample["input"]["accepted"] + sample["input"]["duplicates"] == sample["input"]["rows"] == TWEETS
    assert sample["sentiment"]["scored"] == TWEETS
    felt = [sample["sentiment"][label] for label in ("positive", "neutral", "negative")]
    assert sum(felt) == TWEETS
    assert min(felt) > 300
    assert "cierre de campaña" in {topic["topic"].lower() for topic in sample["trending"]["topics"]}
    assert all(topic["why"] and topic["score"] > 0 for topic in sample["trending"]["topics"])
    names = {forecast["entity"] for forecast in sample["forecast"]}
    assert names == {"mariana-restrepo", "alvaro-quintero", "lucia-mosquera", "tomas-barrera"}


def test_quotes_stand_verbatim_in_the_tweets(sample: dict[str, Any]) -> None:
    """Every quote of the answer is a substring of the tweet that it names, and speaks of what was asked."""
    tweets = map(json.loads, (SAMPLE / "tweets.jsonl").read_text().splitlines())
    texts = {f"tweet:{tweet['id']}": tweet["text"] for tweet in tweets}
    citations = sample["rag"]["citations"]
    assert len(citations) >= 3
    assert all(cited["quote"] in texts[cited["id"]] for cited in citations)
    assert sum("contratos" in cited["quote"] for cited in citations) >= 2


def test_forecasts_are_bounded_and_ordered(sample: dict[str, Any]) -> None:
    """Fourteen days each, within 0 to 100, the interval around the value."""
    for forecast in sample["forecast"]:
        assert len(forecast["points"]) == 14
        assert forecast["days_observed"] > 90
        for point in forecast["points"]:
            assert 0 <= point["low"] <= point["value"] <= point["high"] <= 100


def test_forecasts_reach_the_answers(system: System, sample: dict[str, Any]) -> None:
    """forecast-service stores each forecast in rag-service: it is cited as an analysis, and no position counts it."""
    (series,) = [one for one in sample["forecast"] if one["entity"] == "mariana-restrepo"]
    asked = {"question": "¿Qué se pronostica para Mariana Restrepo?", "filters": {"dataset": "sample"}}
    with client_of(system) as client:

        def answer() -> dict[str, Any]:
            data: dict[str, Any] = client.post("/v1/rag/query", json=asked).json()["data"]
            return data

        def analyses() -> list[dict[str, Any]]:
            return [one for one in answer()["citations"] if one["stored_by"] == "service:forecast-service"]

        until(lambda: bool(analyses()), 120, "the forecast is an analysis")
        found = answer()
        (cited,) = analyses()
    assert cited["origin"] == "analysis"
    assert f"{series['points'][0]['value']:.1f}".replace(".", ",") in cited["quote"]
    assert "(análisis de forecast-service, " in found["answer"]
    assert all(name.startswith("tweet:") for position in found["positions"] for name in position["citations"])


def test_twice_stores_nothing_twice(system: System, sample: dict[str, Any], tmp_path: Path) -> None:
    """The same file again is duplicates only, says so, and gives the same findings."""
    again = demo(system, tmp_path / "r.json")
    assert (again["input"]["accepted"], again["input"]["duplicates"]) == (0, TWEETS)
    assert again["sentiment"] == sample["sentiment"]
    assert again["trending"] == sample["trending"]
    assert again["forecast"] == sample["forecast"]


def test_broken_lines_are_named_and_the_rest_goes_on(system: System, tmp_path: Path) -> None:
    """A CSV is imported except its broken lines, which are reported with number and reason."""
    file = tmp_path / "tweets.csv"
    first = 1_500_000_000_000_000_000
    rows = [f"{first + n},nadie_{n % 3},2022-05-{1 + n % 28:02}T10:00:00Z,hola número {n}" for n in range(60)]
    rows[10], rows[20] = "not-a-number,nadie,2022-05-01T10:00:00Z,x", "1500000000000000999,nadie,yesterday,x"
    file.write_text("id,username,created_at,text\n" + "\n".join(rows) + "\n")
    report = demo(system, tmp_path / "r.json", file)
    assert (report["input"]["rows"], report["input"]["accepted"], report["input"]["rejected"]) == (60, 58, 2)
    assert [rejection["line"] for rejection in report["input"]["rejections"]] == [12, 22]
    assert all(rejection["reason"] for rejection in report["input"]["rejections"])
    # The sample is in the same store, and not in this report.
    assert report["sentiment"]["tweets"] == sum(day["tweets"] for day in report["sentiment"]["days"]) == 58
    assert {one["entity"] for one in report["sentiment"]["entities"]} == {"nadie_0", "nadie_1", "nadie_2"}


def test_a_stored_data_set_is_reported_on_for_a_period(
    system: System,
    sample: dict[str, Any],  # noqa: ARG001
    tmp_path: Path,
) -> None:
    """`castor report` of a data set and a period holds the tweets of those days alone, as HTML beside JSON."""
    page = tmp_path / "mayo.html"
    system.castor("report", "-o", str(page), "--dataset", "sample", "--since", "2026-05-01", "--until", "2026-05-10")
    report = json.loads(page.with_suffix(".json").read_text())
    lines = map(json.loads, (SAMPLE / "tweets.jsonl").read_text().splitlines())
    # A day of Bogotá ends at five in the morning, UTC.
    inside = [one for one in lines if "2026-05-01T05" <= one["created_at"] < "2026-05-11T05"]
    assert report["sentiment"]["tweets"] == len(inside) > 50
    assert report["input"] is None
    assert report["weeks"]["until"] == report["span"]["until"] == "2026-05-10"
    assert f"{len(inside)}</b>" in page.read_text()
    ended = system.castor("report", "-o", str(page), "--dataset", "ninguno", check=False)
    assert (ended.returncode, "No data set has the name ninguno" in ended.stderr) == (2, True)


def test_twarc_pages_are_understood(system: System, tmp_path: Path) -> None:
    """JSON Lines of pages with includes become tweets with their authors' names."""
    users = [{"id": "7", "username": "paginas_uno"}, {"id": "8", "username": "paginas_dos"}]
    lines = []
    for number in range(4):
        tweets = [
            {
                "id": str(1_400_000_000_000_000_000 + number * 10 + place),
                "author_id": user["id"],
                "created_at": f"2021-06-0{1 + number}T12:00:00.000Z",
                "text": f"página {number} de {user['username']}",
            }
            for place, user in enumerate(users)
        ]
        lines.append(json.dumps({"data": tweets, "includes": {"users": users}}))
    file = tmp_path / "pages.jsonl"
    file.write_text("\n".join(lines))
    report = demo(system, tmp_path / "r.json", file)
    assert report["input"]["accepted"] == 8
    # Four days are too few for a forecast: nothing is invented, and the job goes on.
    assert {(forecast["entity"], len(forecast["points"])) for forecast in report["forecast"]} == {
        ("paginas_uno", 0),
        ("paginas_dos", 0),
    }


BAD_FILES = {
    "missing": None,
    "empty": b"",
    "not UTF-8": b"id,username,created_at,text\n1,ana,2022-05-01T10:00:00Z,caf\xe9\n",
    "without the columns": b"a,b,c\n1,2,3\n",
    "nothing but a header": b"id,username,created_at,text\n",
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_end_with_one_sentence_and_code_2(system: System, kind: str, tmp_path: Path) -> None:
    """A file that cannot be imported ends with one line on standard error, without a traceback."""
    file = tmp_path / "tweets.csv"
    content = BAD_FILES[kind]
    if content is not None:
        file.write_bytes(content)
    ended = system.castor("demo", "--input", str(file), check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("castor: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stdout + ended.stderr
