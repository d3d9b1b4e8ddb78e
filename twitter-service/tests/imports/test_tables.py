"""Tables as spreadsheets and other tools write them. All contents are invented."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from twitter_service.errors import BadColumns, MissingColumns, RepeatedColumn
from twitter_service.imports.parser import parse
from twitter_service.imports.readers.base import Recognised
from twitter_service.imports.readers.csv_reader import MAX_RECORD, CsvReader
from twitter_service.imports.readers.encoding import LONGEST_LINE, as_utf8
from twitter_service.imports.readers.table_columns import TableOptions, columns_of
from twitter_service.imports.readers.tweet_file import TweetFile
from twitter_service.tweets.model import NewTweet, Rejection, read_text

from ..conftest import Twitter

KEY = 1530957137310646333
AT = "2022-05-29T16:00:00Z"


def read(content: str, **options: Any) -> list[NewTweet | Rejection]:
    """Return what a table holds."""
    file = TweetFile(table=TableOptions(**options))
    data = content.encode()
    return parse(file.read(data[:40])) + parse(file.read(data[40:])) + parse(file.read_last(b""))


def facts(found: list[NewTweet | Rejection]) -> list[tuple[int, str, str]]:
    """Return id, handle and text of the tweets."""
    return [(item.id, item.username, item.text) for item in found if isinstance(item, NewTweet)]


def reason(found: list[NewTweet | Rejection]) -> str:
    """Return the reason of the only rejection."""
    assert len(found) == 1
    assert isinstance(found[0], Rejection)
    return found[0].reason


@pytest.mark.parametrize("line", ["a", ",", "é", " ", '"', "sep="])
def test_a_first_line_without_an_end_is_refused_and_not_held(line: str) -> None:
    """After a bounded number of characters the file is refused, however much of it would come."""
    reader, fed, data = CsvReader(), 0, (line * 10_000).encode()
    with pytest.raises(MissingColumns):
        while fed < 10 * MAX_RECORD:
            fed += len(data)
            assert list(reader.read(data, final=False)) == []
    assert fed <= 3 * MAX_RECORD


@pytest.mark.parametrize("blank", ["\n", " \r\n", "\t\n", "\r"])
def test_blank_lines_before_the_header_are_dropped_as_they_come(blank: str) -> None:
    """What is held of them is less than a line, and the lines behind keep their numbers."""
    reader, blanks = CsvReader(), 200_000
    for _ in range(blanks // 20_000):
        assert list(reader.read((blank * 20_000).encode(), final=False)) == []
        assert len(reader.state()["rest"]) <= len(blank)
    table = f"id,username,created_at,text\nx,marta,{AT},t\n{KEY},marta,{AT},hola\n"
    refused, kept = reader.read(table.encode(), final=True)
    assert isinstance(refused, Rejection)
    assert refused.line == blanks + 2
    assert facts([kept]) == [(KEY, "marta", "hola")]


@pytest.mark.parametrize("quoted", [True, False])
def test_a_field_longer_than_the_parser_takes_is_rejected_with_its_line(quoted: bool) -> None:
    """The record alone is rejected, also where it comes in one piece; as a header the file is refused."""
    field = f'"{"a" * 200_000}"' if quoted else "a" * 200_000
    table = f"id,username,created_at,text\n{KEY},marta,{AT},{field}\n{KEY},marta,{AT},hola\n".encode()
    refused, kept = CsvReader().read(table, final=True)
    assert isinstance(refused, Rejection)
    assert (refused.line, "characters" in refused.reason, facts([kept])) == (2, True, [(KEY, "marta", "hola")])
    with pytest.raises(MissingColumns):
        list(CsvReader().read(f"{field},text\n".encode(), final=True))


@pytest.mark.parametrize("text", ["é", "ñ😀", "€a", "a"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
async def test_a_line_of_windows_1252_without_an_end_is_not_held(text: str, encoding: str) -> None:
    """It goes on in parts, and no character of it is cut."""
    whole = (text if encoding == "utf-8" else text.replace("😀", "")) * 1_000_000
    data = whole.encode(encoding)

    async def pieces() -> AsyncIterator[bytes]:
        for first in range(0, len(data), 99_991):
            yield data[first : first + 99_991]

    parts = [part async for part in as_utf8(pieces(), "windows-1252", Recognised())]
    assert "".join(part.decode() for part in parts) == whole
    assert max(map(len, parts)) <= 4 * LONGEST_LINE


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("says", [True, False])
def test_separators(mark: str, says: bool) -> None:
    """The separator is that of the header; a line ``sep=`` names it; others are text."""
    head = f"sep={mark}\n" if says else ""
    found = read(
        f"\ufeff{head}{mark.join(('id', 'username', 'created_at', 'text'))}\n"
        f'{KEY}{mark}marta{mark}{AT}{mark}"uno{mark} ""dos""; tres, cuatro"\n'
        f"x{mark}marta{mark}{AT}{mark}t\n"
    )
    assert facts(found) == [(KEY, "marta", f'uno{mark} "dos"; tres, cuatro')]
    assert [item.line for item in found if isinstance(item, Rejection)] == [3 + says]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,conversation_id,author.username,created_at,text", f"{KEY},1,marta,{AT},hola"),
        ("tweet_id,user_username,text,created_at", f"{KEY},marta,hola,{AT}"),
        (",date,rawContent,id,user.username", f"0,2022-05-29 16:00:00+00:00,hola,{KEY},marta"),
        ("status_id,created_at,screen_name,text", f"{KEY},2022-05-29 16:00:00,marta,hola"),
        ("id,created_at,date,time,timezone,username,tweet", f"{KEY},x Time,2022-05-29,11:00:00,-0500,marta,hola"),
        ("_id,created_at,extended_tweet.full_text,id,id_str,text,user.screen_name",
         f"5,Sun May 29 16:00:00 +0000 2022,hola,1530957137310646300,{KEY},ho…,marta"),
        ("Tweet Link,Author Handle,Tweet Content,Tweet Creation Date", f"https://x.com/m/status/{KEY},marta,hola,{AT}"),
        ("id,twitter_name,created_at,tweets", f"{KEY},marta,{AT},hola"),
        ("id,username,created_at,tweets,text", f"{KEY},marta,{AT},815,hola"),
        ("Id,Usuario,Fecha,Texto", f"{KEY},@marta,{AT},hola"),
    ],
)  # fmt: skip
def test_headers_of_tools(header: str, row: str) -> None:
    """The columns of twarc-csv, academictwitteR, snscrape, rtweet, twint, mongoexport, scrapers and of people."""
    found = read(f"{header}\n{row}\n")
    assert facts(found) == [(KEY, "marta", "hola")]
    assert isinstance(found[0], NewTweet)
    assert found[0].created_at.isoformat() == "2022-05-29T16:00:00+00:00"


def test_columns_that_the_sender_names() -> None:
    """Unknown headers are mapped; what is missing is named beside what the header has."""
    content = f"Código;Quién;Cuándo;Dice\n{KEY};marta;{AT};hola\n"
    columns = columns_of("id:código, username:Quién,created_at:Cuándo,text:Dice")
    assert facts(read(content, columns=columns)) == [(KEY, "marta", "hola")]
    with pytest.raises(MissingColumns, match=r"lacks .* id, username, created_at, text.*It has: código, quién"):
        read(content)
    with pytest.raises(BadColumns, match="'nombre:x'"):
        columns_of("nombre:x")


def test_a_column_twice() -> None:
    """A header that has a needed column twice is refused by its name, another that repeats is not."""
    with pytest.raises(RepeatedColumn, match="username stands twice"):
        read(f"id,username,created_at,text,Username\n{KEY},a,{AT},t,b\n")
    assert facts(read(f"id,username,created_at,text,x,x\n{KEY},a,{AT},t,1,2\n")) == [(KEY, "a", "t")]


def test_the_id_of_the_answered_tweet_is_not_taken() -> None:
    """In a table of answers ``tweet_id`` is the tweet that they answer."""
    with pytest.raises(MissingColumns, match=r"column\(s\) id;"):
        read(f"tweet_id,fecha,reply_id,texto,usuario\n{KEY},{AT},1,hola,ana\n")


@pytest.mark.parametrize(
    ("value", "dates", "expected"),
    [
        ("29/05/2022", "dmy", "2022-05-29T05:00:00+00:00"),
        ("5/29/2022", "mdy", "2022-05-29T05:00:00+00:00"),
        ("3/4/2022 7:06:05", "dmy", "2022-04-03T07:06:05+00:00"),
        ("3/4/2022 7:06", "mdy", "2022-03-04T07:06:00+00:00"),
        ("3/4/2022 12:06 a. m.", "dmy", "2022-04-03T00:06:00+00:00"),
        ("3/4/2022 1:06:00 PM", "dmy", "2022-04-03T13:06:00+00:00"),
        ("2022-05-29", None, "2022-05-29T05:00:00+00:00"),
        ("2022-05-29", "dmy", "2022-05-29T05:00:00+00:00"),
    ],
)
def test_dates(value: str, dates: str | None, expected: str) -> None:
    """Day and month come in the order that is said; a date without a time is that day in Bogotá."""
    found = read(f"id,username,created_at,text\n1,ana,{value},t\n", dates=dates)
    assert isinstance(found[0], NewTweet)
    assert found[0].created_at.isoformat() == expected


def test_day_and_month_are_not_guessed() -> None:
    """Without being told, a date with slashes is rejected, even where only one order is possible."""
    for value in ("3/4/2022", "29/05/2022 16:00"):
        assert "dates=dmy or dates=mdy" in reason(read(f"id,username,created_at,text\n1,ana,{value},t\n"))
    assert "is not a time" in reason(read("id,username,created_at,text\n1,ana,29/05/2022,t\n", dates="mdy"))


@pytest.mark.parametrize("value", ["1.53096E+18", "1,53096E+18", "1530957137310646333.0"])
def test_damaged_ids(value: str) -> None:
    """An id that a spreadsheet has rounded is rejected with advice."""
    assert "format the column as text" in reason(read(f'id;username;created_at;text\n"{value}";ana;{AT};t\n'))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("content", "params"),
    [
        ("id;usuario;fecha;texto\n5;ana;3/4/2022;Señal única\n".encode("utf-16"), {"dates": "dmy"}),
        ("id;usuario;fecha;texto\n5;ana;3/4/2022;Señal única\n".encode("cp1252"),
         {"dates": "dmy", "encoding": "windows-1252"}),
        ("id;usuario;fecha;texto\n5;ana;3/4/2022;Señal única\n".encode(),
         {"dates": "dmy", "encoding": "windows-1252"}),
        ("n;usuario;fecha;texto\n5;ana;3/4/2022;Señal única\n".encode("utf-16-le"),
         {"dates": "dmy", "encoding": "utf-16", "columns": "id:n"}),
    ],
)  # fmt: skip
async def test_encodings(twitter: Twitter, content: bytes, params: dict[str, str]) -> None:
    """UTF-16 is recognised, Windows-1252 is read where it is asked for; a line of it that is UTF-8 stays so."""
    done = await twitter.imported(content, **params)
    assert (done["accepted"], done["rejected"]) == (1, 0)
    stored = await twitter.data("/tweets/5")
    assert (stored["text"], stored["created_at"]) == ("Señal única", "2022-04-03T05:00:00.000Z")


@pytest.mark.asyncio(loop_scope="module")
async def test_half_an_emoji_in_utf16(twitter: Twitter) -> None:
    """An emoji that a program cut in UTF-16 is U+FFFD, and its neighbours are read."""
    rows = f"id;username;created_at;text\n6;ana;{AT};corta \ud83d\n7;ana;{AT};\U0001f389\n"
    done = await twitter.imported(rows.encode("utf-16", "surrogatepass"))
    assert (done["accepted"], done["rejected"]) == (2, 0)
    assert (await twitter.data("/tweets/6"))["text"] == "corta \ufffd"
    assert (await twitter.data("/tweets/7"))["text"] == "\U0001f389"


@pytest.mark.asyncio(loop_scope="module")
async def test_escapes_of_html_are_undone_once(twitter: Twitter) -> None:
    """A tweet with ``&amp;`` counts for the alias with ``&``, from a table and from JSON; texts are composed."""
    await twitter.send("POST", "/entities", {"id": "rf", "name": "RF", "kind": "party", "aliases": ["Raíz & Futuro"]})
    await twitter.imported(f'id,username,created_at,text\n1,a,{AT},"la lista de Raíz &amp; Futuro"\n')
    await twitter.imported(
        '{"id":"2","username":"a","created_at":"2022-05-29T16:00:00Z","text":"Rai\u0301z &amp; Futuro"}'
    )
    for key, text in ((1, "la lista de Raíz & Futuro"), (2, "Raíz & Futuro")):
        stored = await twitter.data(f"/tweets/{key}")
        assert (stored["text"], stored["entities"]) == (text, ["rf"])
    assert read_text("&amp;lt; &gt; &nbsp;") == "&lt; > &nbsp;"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Mañana en Medellín, todos", ["antioquia", "medellin"]),
        ("Mañana en Medelli\u0301n", ["antioquia", "medellin"]),
        ("gracias @medellin", []),
        ("el pasto está verde", []),
        ("de Pasto, Nariño 🇨🇴", ["narino", "pasto"]),
        ("de Medellín a Madrid, España", []),
    ],
)
async def test_a_tweet_that_names_a_place_has_one(twitter: Twitter, text: str, places: list[str]) -> None:
    """The text says where a tweet belongs to where nothing else does; ambiguous names only beside a clear hint."""
    await twitter.imported(f'id,username,created_at,text\n1,a,{AT},"{text}"\n')
    stored = await twitter.data("/tweets/1")
    assert (stored["places"], stored["place_source"]) == (places, "tweet" if places else None)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_author_s_place_goes_before_the_text(twitter: Twitter) -> None:
    """A text is asked for a place only where the author has none."""
    author = '{"id": "7", "username": "ana", "location": "Cali"}'
    await twitter.imported(f'{{"id":"1","text":"en Medellín","created_at":"{AT}","author_id":"7","author":{author}}}')
    stored = await twitter.data("/tweets/1")
    assert (stored["places"], stored["place_source"]) == (["cali", "valle-del-cauca"], "author")
