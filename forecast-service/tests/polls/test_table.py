"""Polls of CSV files: what is read, and what is refused with its row."""

from __future__ import annotations

from datetime import date

import pytest

from forecast_service.errors import UnusablePolls
from forecast_service.polls.checks import usable
from forecast_service.polls.model import Poll
from forecast_service.polls.table import polls_of

SPANISH = """encuesta;fecha_inicio;fecha;tamano_de_muestra;margen_de_error;Ana Ruiz;Iván Peña
Invamer;2022-05-10;2022-05-18;1312;2,71;40,6;27,1
CNC[c]\u200b;;2022-05-19;3860;1,5;41;NA
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_spanish_sheet_is_read(encoding: str) -> None:
    """Semicolons, decimal commas, footnotes of the web, accents and Excel's encodings."""
    polls = polls_of(SPANISH.replace("\u200b", "").encode(encoding))
    assert polls[0] == Poll(
        "Invamer", date(2022, 5, 10), date(2022, 5, 18), 1312, (("Ana Ruiz", 40.6), ("Iván Peña", 27.1))
    )
    assert (polls[1].pollster, polls[1].since, polls[1].shares) == ("CNC", date(2022, 5, 19), (("Ana Ruiz", 41.0),))


def test_names_are_read_without_what_cannot_be_stored() -> None:
    """A NUL, which PostgreSQL refuses, is a space; accents are composed as those of names in JSON are."""
    (read,) = polls_of("pollster,until,sample_size,Ana\0Ruiz\nOpinio\u0301n\0,2026-05-01,1000,40\n".encode())
    assert (read.pollster, read.shares) == ("Opinión", (("Ana Ruiz", 40.0),))


@pytest.mark.parametrize(
    ("header", "row", "until"),
    [
        ("fecha;hasta", "2026-05-10;2026-04-05", 5),
        ("hasta;fecha", "2026-04-05;2026-05-10", 5),
        ("fecha;fecha_fin", "2026-05-10;2026-04-05", 5),
        ("date;end", "2026-05-10;2026-04-05", 5),
        ("fecha_inicio;fecha", "2026-04-01;2026-04-07", 7),
    ],
)
def test_the_end_of_field_work_is_no_day_of_publication(header: str, row: str, until: int) -> None:
    """A column that says 'until' counts before one that says 'date' only, wherever they stand."""
    (read,) = polls_of(f"{header};firma;muestra;Ana\n{row};Invamer;900;40\n".encode())
    assert (read.until, read.shares) == (date(2026, 4, until), (("Ana", 40.0),))


def test_specific_columns_count_before_general_ones() -> None:
    """A survey's title is no pollster, and the number of a row no sample."""
    (read,) = polls_of(b"n,encuesta,firma,muestra,fecha,Ana\n1,Ola 7,Invamer,900,2026-05-01,40\n")
    assert (read.pollster, read.sample_size, len(read.shares)) == ("Invamer", 900, 1)


@pytest.mark.parametrize(
    ("cell", "size"), [("1.200", 1200), ("75.000", 75_000), ("1,312", 1312), ("1.200.000", 1_200_000), ("900.0", 900)]
)
def test_thousands_may_have_a_sign_between_them(cell: str, size: int) -> None:
    """A sample of 1.200 people is no sample of one."""
    (read,) = polls_of(f"firma;fecha;muestra;Ana\nInvamer;2026-05-01;{cell};40\n".encode())
    assert read.sample_size == size


def test_columns_without_a_name_are_left_out() -> None:
    """Spreadsheets write empty columns behind the last, in the header and in each row, however many."""
    empty = "," * 20_000
    (read,) = polls_of(f"firma,fecha,muestra,Ana{empty}\nInvamer,2026-05-01,900,40{empty}\n".encode())
    assert read.shares == (("Ana", 40.0),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no column 'pollster'"),
        ("pollster,until,sample_size,a\n", "holds no row"),
        ("pollster,sample_size,a\nx,1000,40\n", "no column 'until'"),
        ("pollster,until,sample_size,a,A\nx,2022-05-01,1000,40,41\n", "stands twice"),
        ("pollster,until,sample_size,a\nx,5/1/22,1000,40\n", "row 2 has the date '5/1/22'"),
        ("pollster,until,sample_size,a\nx,2022-05-01,,40\n", "row 2 has no sample_size"),
        ("pollster,until,sample_size,a\nx,2022-05-01,inf,40\n", "row 2 has 'inf' for sample_size"),
        ("pollster,until,sample_size,a\nx,2022-05-01,nan,40\n", "row 2 has 'nan' for sample_size"),
        ("pollster,until,sample_size,a\nx,2022-05-01,1000,cuarenta\n", "row 2 has 'cuarenta' for a"),
        ("pollster,until,sample_size,a\nx,2022-05-01,1.5,40\n", "row 2 has '1.5' for sample_size; write a whole"),
        ("pollster,until,sample_size,a\n" + "x,2022-05-01,1000,40\n" * 601, "more than 600 rows"),
        ("pollster,until,sample_size" + ",a" * 38 + "\nx,2022-05-01,1000", "has 41 columns, and at most 40"),
        ("pollster,until,sample_size" + ",a" * 300_000 + "\nx,2022-05-01,1000", "has 300003 columns"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, reason: str) -> None:
    """The refusal says which row or column it is."""
    with pytest.raises(UnusablePolls, match=reason):
        polls_of(text.encode())


def poll(share: float = 40.0, *, pollster: str = "Invamer", size: int = 1000, since: str = "2026-05-01") -> Poll:
    return Poll(pollster, date.fromisoformat(since), date(2026, 5, 2), size, (("a", share), ("b", 50.0)))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (poll(60.0), "add up to 110.0 percent"),
        (poll(-1.0), "shares lie from 0 to 100"),
        (poll(float("inf")), "shares lie from 0 to 100"),
        (poll(float("nan")), "shares lie from 0 to 100"),
        (poll(size=10), "a sample of 10"),
        (poll(since="2026-05-03"), "after its end"),
        (poll(since="0001-01-01"), "outside the years"),
        (poll(pollster=" "), "names no pollster"),
    ],
)
def test_impossible_polls_are_refused(wrong: Poll, reason: str) -> None:
    """Each refusal says what is wrong."""
    with pytest.raises(UnusablePolls, match=reason):
        usable([poll(), wrong])


def test_shares_are_percent() -> None:
    """Fractions are refused instead of being read as fractions of a percent."""
    fractions = Poll("Invamer", date(2026, 5, 1), date(2026, 5, 2), 1000, (("a", 0.4), ("b", 0.25)))
    with pytest.raises(UnusablePolls, match="in percent"):
        usable([fractions])


def test_pollsters_are_bounded() -> None:
    """Each has an effect of its own, so hundreds of them would take minutes."""
    with pytest.raises(UnusablePolls, match="there are 41 pollsters"):
        usable([poll(pollster=f"p{number}") for number in range(41)])


def test_a_pollster_has_one_spelling_and_a_poll_counts_once() -> None:
    """Case, accents in both compositions and spaces make no other pollster; the same poll twice is one."""
    spelled = [poll(pollster=name) for name in ("Opinión  Sur", "OPINIO\u0301N SUR", "Opinión  Sur")]
    assert usable(spelled) == usable(spelled[:1])


def test_the_order_in_which_polls_are_posted_changes_nothing() -> None:
    """Neither two polls of one pollster that end on one day, nor a pollster in two spellings."""
    polls = [poll(size=2000), poll(), poll(39.0), poll(since="2026-04-30"), poll(pollster="INVAMER", size=900)]
    assert usable(polls) == usable(polls[::-1])
    assert {one.pollster for one in usable(polls)} == {"Invamer"}
