"""The parser of files, without a database."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twitter_service.errors import MissingColumns, NotUtf8
from twitter_service.imports.parser import parse
from twitter_service.imports.readers.jsonl_reader import MAX_LINE
from twitter_service.imports.readers.tweet_file import TweetFile
from twitter_service.tweets.model import (
    MAX_ID,
    NewTweet,
    Rejection,
    Unusable,
    read_created_at,
    read_id,
    read_text,
    snowflake_of,
)

Found = list[NewTweet | Rejection]
HEADER = "id,username,created_at,text\n"
AT = "2022-05-01T10:00:00Z"


def parsed(content: bytes | str, piece: int = 1 << 20) -> Found:
    """Parse ``content`` in pieces of ``piece`` bytes."""
    data = content.encode() if isinstance(content, str) else content
    file = TweetFile()
    found = [item for at in range(0, len(data), piece) for item in parse(file.read(data[at : at + piece]))]
    return found + parse(file.read_last(b""))


def texts(found: Found) -> list[str]:
    """Return the texts of the tweets in ``found``."""
    return [item.text for item in found if isinstance(item, NewTweet)]


def rejected_lines(found: Found) -> list[int]:
    """Return the lines of the rejections in ``found``."""
    return [item.line for item in found if isinstance(item, Rejection)]


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_any_cut_gives_the_same(piece: int) -> None:
    """BOM, CRLF, quoted newlines, doubled quotes and umlauts survive any cut into pieces."""
    rows = f'1,ana,{AT},"uno\r\n""dos"""\r\n2,ana,{AT},ñandú 🦤\r\n\r\n3,ana,{AT},"a,b"\r\n'
    found = parsed(b"\xef\xbb\xbf" + (HEADER.replace("\n", "\r\n") + rows).encode(), piece)
    assert texts(found) == ['uno\n"dos"', "ñandú 🦤", "a,b"]
    assert not rejected_lines(found)


@given(
    st.lists(st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=50), max_size=8)
)
@settings(max_examples=60)
def test_whatever_csv_writes_is_read(values: list[str]) -> None:
    """Any text that is quoted as RFC 4180 wants comes out as it went in, composed and without the escapes of X."""
    rows = [f'{n},ana,{AT},"{value.replace(chr(34), chr(34) * 2)}"\n' for n, value in enumerate(values, 1)]
    assert texts(parsed(HEADER + "".join(rows), 13)) == [read_text(value) for value in values]


@pytest.mark.parametrize("piece", [11, 1 << 20])
def test_an_unclosed_quote_costs_one_line(piece: int) -> None:
    """A quote that is never closed rejects its own line, however it ends, and swallows no other."""
    rows = f'1,ana,{AT},"open\n2,ana,{AT},plain\n3,ana,{AT},"quoted"\n4,ana,{AT},"again\n5,ana,{AT},last\n'
    found = parsed(HEADER + rows, piece)
    assert texts(found) == ["plain", "quoted", "last"]
    assert rejected_lines(found) == [2, 5]


def test_glued_records_come_apart() -> None:
    """Records that a stray quote joins into one of a wrong width are read again from the next line."""
    rows = f'1,ana,{AT},"open\n"",2,x\n3,ana,{AT},"good"\n'
    found = parsed(HEADER + rows)
    assert texts(found) == ["good"]
    assert rejected_lines(found) == [2, 3]


def test_an_endless_quote_is_given_up() -> None:
    """An open quote before megabytes without another is given up, and the lines after it are read."""
    rows = f'1,ana,{AT},"open\n' + "".join(f"{n},ana,{AT},{'x' * 200}\n" for n in range(2, 5000))
    found = parsed(HEADER + rows, 65536)
    assert len(texts(found)) == 4998
    assert rejected_lines(found) == [2]


def test_lines_count_physical_lines() -> None:
    """The line of a rejection is that of an editor, after quoted newlines and blank lines."""
    found = parsed(f'\n{HEADER}1,ana,{AT},"a\nb\nc"\n\nx,ana,{AT},bad\n')
    assert rejected_lines(found) == [7]


def test_quotes_inside_a_plain_field_are_text() -> None:
    """A quote that does not open a field is an ordinary character."""
    assert texts(parsed(f'{HEADER}1,ana,{AT},he said "no" twice\n')) == ['he said "no" twice']


def test_columns_are_found_by_name() -> None:
    """Columns may come in any order and case, with others between them."""
    found = parsed(f"Text,extra,ID,lang,like_count,Username,Created_At\nhola,x,7,ES,12,@ana,{AT}\n")
    tweet = found[0]
    assert isinstance(tweet, NewTweet)
    assert (tweet.id, tweet.username, tweet.lang, tweet.metrics) == (7, "ana", "es", {"like_count": 12})


def test_a_missing_column_is_named() -> None:
    """A header without a needed column names it."""
    with pytest.raises(MissingColumns, match="created_at"):
        parsed("id,username,text\n1,ana,hola\n")


@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_the_line_of_the_first_bad_byte(piece: int) -> None:
    """Bytes that are not UTF-8 are reported with their line, wherever the pieces are cut."""
    content = (HEADER + f'1,ana,{AT},"uno\r\ndos"\r\n').encode() + f"2,ana,{AT},a".encode() + b"\xf1o\n"
    with pytest.raises(NotUtf8, match="Line 4 "):
        parsed(content, piece)


def test_a_json_line_too_long_is_skipped() -> None:
    """A JSON line above the limit is rejected without being kept, and the next one is read."""
    tweet = json.dumps({"id": "1", "username": "ana", "text": "sí", "created_at": AT})
    found = parsed('{"x": "' + "y" * (MAX_LINE + 500_000) + '"}\n' + tweet, 1 << 18)
    assert rejected_lines(found) == [1]
    assert texts(found) == ["sí"]


def test_deep_and_large_json_is_rejected() -> None:
    """Nesting and size of one tweet object are bounded."""
    deep = '{"id":"1","text":"a","x":' + "[" * 300 + "]" * 300 + "}"
    large = json.dumps({"id": "1", "text": "a", "x": "y" * 200_000})
    assert rejected_lines(parsed(f"{deep}\n{large}\n")) == [1, 2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2022-05-29T16:00:00.123Z", "2022-05-29T16:00:00.123000+00:00"),
        ("2022-05-29T11:00:00-05:00", "2022-05-29T16:00:00+00:00"),
        ("2022-05-29 16:00:00", "2022-05-29T16:00:00+00:00"),
        ("Sun May 29 16:00:00 +0000 2022", "2022-05-29T16:00:00+00:00"),
        ("", "2018-11-03T03:03:34.904000+00:00"),
    ],
)
def test_times_that_are_read(value: str, expected: str) -> None:
    """ISO-8601, X's old format, and, where there is none, the clock in the id."""
    assert read_created_at(value, 1058555256886431744).isoformat() == expected


@pytest.mark.parametrize("value", ["ayer", "29/05/2022", "1653840000", "0001-01-01T00:00:00Z", "2022-05-29T25:00:00Z"])
def test_times_that_are_not(value: str) -> None:
    """Anything else is no time."""
    with pytest.raises(Unusable, match="created_at"):
        read_created_at(value, 1)


def test_a_time_in_the_future_is_rejected() -> None:
    """What lies more than a day ahead is an error, also where the time is read from the id."""
    now = datetime.now(UTC)
    near, far = now + timedelta(hours=12), now + timedelta(days=2)
    assert read_created_at(near.isoformat(), 1) == near
    assert (read_created_at("", snowflake_of(near)) - near) < timedelta(seconds=1)
    for value in (far.isoformat(), "9999-12-31T23:59:59-05:00"):
        with pytest.raises(Unusable, match=r"created_at '.*' is in the future"):
            read_created_at(value, 1)
    for tweet_id in (7100000000000000004, MAX_ID, snowflake_of(far)):
        with pytest.raises(Unusable, match=r"the time in the id, \d{4}-\d\d-\d\d, is in the future"):
            read_created_at("", tweet_id)


@pytest.mark.parametrize("value", ["1.05856E+18", "-1", "0", "9223372036854775808", "١٢", "", None, True, 1.0, [1]])
def test_ids_that_are_not(value: object) -> None:
    """Only a positive whole number of 63 bits is an id; a number that a spreadsheet rounded is not."""
    with pytest.raises(Unusable, match="id"):
        read_id(value)


def test_memory_does_not_grow_with_the_file() -> None:
    """Parsing ten times as many rows needs no more memory at its peak."""

    def peak(rows: int) -> int:
        file = TweetFile()
        tracemalloc.start()
        file.read(HEADER.encode())
        for first in range(1, rows, 500):
            file.read("".join(f'{n},ana,{AT},"uno\ndos {n}"\n' for n in range(first, first + 500)).encode())
        file.read_last(b"")
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(500)
    assert peak(20_000) < 1.2 * peak(2_000)
