"""What the main job is asked for, and what it prints."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.job.demo import Outputs
from castor_devstack.job.report import Context, lines, scale_of, sparkline, thinned
from castor_devstack.job.request import (
    NAME,
    FileHints,
    as_options,
    dataset_name,
    followed,
    names_of,
    request_of,
)
from castor_devstack.job.span import Span

from .example import result


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Campaña 2022.csv", "campana-2022"),
        ("a_b.v2.csv.gz", "a_b-v2"),
        ("¡!.csv", "file"),
        ("tuits.2026-05.csv", "tuits-2026-05"),
        ("tuits.2026-06.CSV", "tuits-2026-06"),
        ("Sample.csv", "own-sample"),
        ("ca\u0303na.xlsx", "cana"),
        ("x" * 64 + ".csv", "x" * 64),
        (".csv", "file"),
    ],
)
def test_a_file_names_its_data_set(name: str, expected: str) -> None:
    """The name of a data set is that of the file, in letters that the services take."""
    assert dataset_name(Path(name)) == expected


def test_long_names_that_differ_at_their_end_stay_apart() -> None:
    """A name that is too long for a data set ends with a digest of it."""
    names = [dataset_name(Path(f"{'x' * 99}-{month}.csv")) for month in (5, 6)]
    assert names[0] != names[1]
    assert all(NAME.fullmatch(name) for name in names)


def test_the_data_set_of_the_sample_takes_no_file() -> None:
    """What is in it is shown as invented, so that a file must go elsewhere."""
    with pytest.raises(DevstackError, match="invented"):
        request_of(Path("x.csv"), "sample", None, None, None)
    assert request_of(None, "sample", None, None, None).dataset == "sample"


def test_a_data_set_is_a_file_or_a_name(tmp_path: Path) -> None:
    """--dataset takes a path or a name; with --input it names where the file goes; neither is the sample."""
    file = tmp_path / "Marzo.csv"
    file.write_text("x")
    assert request_of(None, str(file), None, None, None).file == file
    assert request_of(None, str(file), None, None, None).dataset == "marzo"
    assert request_of(None, "marzo", None, None, None).file is None
    assert request_of(file, "otra", None, None, None).dataset == "otra"
    assert request_of(None, None, None, None, None).dataset is None


def test_what_is_said_about_a_file_goes_to_the_importer() -> None:
    """Dates, characters and columns as they are given; authors are tracked only where nobody is named."""
    assert FileHints().query == {"track_authors": "true"}
    hints = FileHints("dmy", "windows-1252", "id:Código", names_of("Ospina, José Pérez"))
    assert hints.query == {
        "dates": "dmy", "encoding": "windows-1252", "columns": "id:Código", "track_authors": "false"
    }  # fmt: skip
    assert request_of(Path("x.csv"), None, None, None, None, hints).hints == hints
    with pytest.raises(DevstackError, match="--input"):
        request_of(None, "mayo", None, None, None, hints)


def test_whom_to_follow_is_a_list_of_names() -> None:
    """Names are apart by commas, each once whatever its accents are made of; without letters one is refused."""
    names = names_of(" José  Pérez,Jose\u0301 Pe\u0301rez, ,Ana ")
    assert [(one["id"], one["name"]) for one in followed(names)] == [("jose-perez", "José Pérez"), ("ana", "Ana")]
    assert names_of(None) == names_of(" , ") == ()
    with pytest.raises(DevstackError, match="--follow needs names"):
        followed(["¡!"])


def test_advice_of_the_service_is_in_options_of_the_command() -> None:
    """Whoever runs the command is told what to type, not which parameter of a request to set."""
    said = "may be day/month or month/day; send the file with dates=dmy or dates=mdy"
    assert as_options(said).endswith("with --dates=dmy or --dates=mdy")
    example = result()
    example["input"]["rejections"] = [{"line": 2, "reason": said}]
    assert "--dates=dmy" in "\n".join(lines(example, Context("https://localhost", "0", [])))
    with pytest.raises(DevstackError, match="--dates=dmy"):
        Span.of({**example["input"], "last_tweet_at": None})


def test_topics_without_a_past_are_said_to_be() -> None:
    """On the first days of a file it is not known what is usual, which stands beside its topics."""
    example = result()
    example["trending"]["degraded"] = ["baseline"]
    assert "What is usual is not known" in "\n".join(lines(example, Context("https://localhost", "0", [])))


@pytest.mark.parametrize(
    ("dataset", "since", "until"), [("Mi Campaña", None, None), (None, date(2022, 5, 2), date(2022, 5, 1))]
)
def test_wrong_use_is_a_sentence(dataset: str | None, since: date | None, until: date | None) -> None:
    """A name that no data set can have, and a period that ends before it begins, end with code 2."""
    with pytest.raises(DevstackError) as raised:
        request_of(Path("x.csv"), dataset, since, until, None)
    assert raised.value.exit_code == 2


def test_the_period_lies_within_the_tweets() -> None:
    """since and until narrow the span, in days of Bogotá; a period without tweets is refused, naming the days."""
    done = {"first_tweet_at": "2022-05-01T03:00:00Z", "last_tweet_at": "2022-05-20T12:00:00Z"}
    span = Span.of(done)
    assert span.days == {"since": "2022-04-30", "until": "2022-05-20"}
    assert (span.begin, span.as_of) == ("2022-04-30T05:00:00.000Z", "2022-05-21T05:00:00.000Z")
    narrowed = span.within(date(2022, 5, 3), date(2030, 1, 1))
    assert narrowed.days == {"since": "2022-05-03", "until": "2022-05-20"}
    with pytest.raises(DevstackError, match="2022-04-30 to 2022-05-20"):
        span.within(date(2023, 1, 1), None)


def test_a_day_that_is_not_over_is_as_of_now() -> None:
    """Of a data set that is still collected, today ends now."""
    moment = datetime.now(UTC).isoformat()
    as_of = Span.of({"first_tweet_at": moment, "last_tweet_at": moment}).as_of
    assert datetime.fromisoformat(as_of) <= datetime.now(UTC)


def test_html_and_json_lie_beside_each_other() -> None:
    """Whichever file is named, the other has the same name."""
    assert Outputs.beside(Path("r.json")) == Outputs.beside(Path("r.html")) == Outputs(Path("r.json"), Path("r.html"))
    assert Outputs.beside(None).written == []


def test_sparklines_share_a_scale() -> None:
    """The same height is the same value for everybody; what is not known is a dot."""
    low, high = thinned([10.0, 20.0, None]), thinned([50.0, 60.0, 60.0])
    scale = scale_of([low, high])
    assert scale == (10.0, 60.0)
    assert (sparkline(low, scale), sparkline(high, scale)) == ("▁▂·", "▇██")
    assert len(thinned([1.0] * 90, 24)) <= 24


def test_the_screen_says_how_much_a_week_rests_on() -> None:
    """A candidate's line has the week's index with its interval, tweets of both weeks, and whether it moved."""
    shown = "\n".join(lines(result(), Context("https://localhost", "t", [Path("r.html")])))
    assert "61.2 [57, 65]" in shown
    assert "60 (40)" in shown
    assert "+5.5" in shown
    assert "silent" in shown
    assert "r.html" in shown
    assert "ANSWER from the tweets of campana" in shown
    nothing = result() | {"input": None, "forecast": []}
    assert "no entity is tracked" in "\n".join(lines(nothing, Context("", "", [])))
