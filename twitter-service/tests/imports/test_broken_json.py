"""JSON that is broken in places: only the smallest broken thing is left out."""

from __future__ import annotations

import json

import pytest

from twitter_service.imports.parser import parse
from twitter_service.imports.readers.tweet_file import TweetFile
from twitter_service.tweets.model import NewTweet, Rejection

from .test_readers import parsed, rejected_lines, texts

AT = "2022-05-01T10:00:00Z"


def tweet(number: int, text: str = "") -> dict[str, object]:
    """Return an object of X."""
    return {"id": str(number), "username": "ana", "created_at": AT, "text": text or f"tuit {number}"}


def line(number: int, text: str = "") -> str:
    """Return it as JSON."""
    return json.dumps(tweet(number, text))


OF_V1 = {"created_at": "Sun May 01 10:00:00 +0000 2022", "user": {"id_str": "7", "screen_name": "ana"}}
HOLDING = {
    "v2": json.dumps({**tweet(2), "referenced_tweets": [{"type": "quoted", "id": "9", "text": "ajeno"}]}),
    "v1.1": json.dumps(
        {**OF_V1, "id_str": "2", "text": "tuit 2", "quoted_status": {**OF_V1, "id_str": "9", "text": "ajeno"}}
    ),
}
"""A tweet that holds one that it quotes."""


@pytest.mark.parametrize("stray", ["]", ",", "NaN", "<html>502</html>", 'or", "lang": "es"}', "null", '"x"', "\\", "{"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_stray_line_costs_itself(stray: str, place: int) -> None:
    """A line that is no JSON object is rejected with its number, wherever it stands, and its neighbours are read."""
    lines = [line(1), line(2)]
    lines.insert(place, stray)
    found = parsed("\n".join(lines))
    assert texts(found) == ["tuit 1", "tuit 2"]
    assert rejected_lines(found) == [place + 1]


def test_a_stray_line_is_named() -> None:
    """The reason says that it is not JSON."""
    found = parsed(f"{line(1)}\n]\n{line(2)}")
    assert [item.reason[:14] for item in found if isinstance(item, Rejection)] == ["it is not JSON"]


def page(*objects: str, users: str = '[{"id": "7", "username": "ana"}]') -> str:
    """Return a page of X as one line."""
    return f'{{"data": [{", ".join(objects)}], "includes": {{"users": {users}}}, "meta": {{}}}}\n'


@pytest.mark.parametrize("escape", ["\\ud83d", "\\udc00x", "\\x", "\\u12", "\x01"])
def test_a_broken_escape_costs_a_character(escape: str) -> None:
    """A lone surrogate or a broken escape is U+FFFD, also where a whole page holds it; a control character a space."""
    broken = line(2, "antes @ fin").replace("@", escape)
    for content in (page(line(1), broken, line(3)), f"{line(1)}\n{broken}\n{line(3)}\n"):
        found = texts(parsed(content))
        assert [found[0], found[2]] == ["tuit 1", "tuit 3"]
        assert found[1].startswith("antes ")
        assert found[1].endswith(" fin")


def test_a_broken_bio_costs_nothing() -> None:
    """A bio is no part of a tweet: a surrogate that is cut in one leaves all tweets, with their handles."""
    bare = '{"id": "5", "author_id": "7", "created_at": "2022-05-01T10:00:00Z", "text": "hola"}'
    users = '[{"id": "7", "username": "ana", "description": "candidata \\ud83c"}]'
    found = parsed(page(bare, line(6), users=users))
    assert [item.username for item in found if isinstance(item, NewTweet)] == ["ana", "ana"]


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "{,}", "[1,,2]", "01", ""])
@pytest.mark.parametrize("in_page", [True, False])
def test_a_broken_field_costs_itself(value: str, in_page: bool) -> None:
    """A field that is not kept and cannot be read is left out; the tweet is taken."""
    broken = line(2)[:-1] + f', "geo": {value}, "lang": "es"}}'
    found = parsed(page(line(1), broken, line(3)) if in_page else f"{line(1)}\n{broken}\n{line(3)}")
    assert texts(found) == ["tuit 1", "tuit 2", "tuit 3"]
    assert [item.lang for item in found if isinstance(item, NewTweet)] == [None, "es", None]


@pytest.mark.parametrize(
    "broken",
    ['{"id": "2", "text":}', '{"id": "2", "text": "sin cierre}', '{"id" "2"}', "]", '"', "]',", "[", '[{"id": 1e999}'],
)
def test_a_broken_tweet_costs_itself(broken: str) -> None:
    """Of a page with a tweet that cannot be read all others are taken, with their authors."""
    bare = '{"id": "5", "author_id": "7", "created_at": "2022-05-01T10:00:00Z", "text": "hola"}'
    found = parsed(page(line(1), broken, bare))
    assert [item.username for item in found if isinstance(item, NewTweet)] == ["ana", "ana"]
    assert rejected_lines(found) == [1]


def test_a_cut_page_keeps_what_came() -> None:
    """Of a page whose end is missing, the whole tweets are taken."""
    found = parsed(page(line(1), line(2), line(3))[:-120])
    assert texts(found)[:2] == ["tuit 1", "tuit 2"]


@pytest.mark.parametrize("piece", [1, 1 << 20])
@pytest.mark.parametrize("end", [1, 2, 3])
def test_a_file_that_ends_within_a_character(piece: int, end: int) -> None:
    """What came of the last character is U+FFFD of the last row, which is one outcome; the rows before are tweets."""
    emoji = "🎉".encode()[:end]
    rows = f"id,username,created_at,text\n1,ana,{AT},tuit 1\n2,ana,{AT},ca".encode() + emoji
    assert texts(parsed(rows, piece)) == ["tuit 1", "ca\ufffd"]
    cut = line(2, "ca").encode()[:-2] + emoji
    for content in (f"{line(1)}\n".encode() + cut, f"[\n{line(1)},\n".encode() + cut):
        found = parsed(content, piece)
        assert texts(found) == ["tuit 1"]
        assert len(rejected_lines(found)) == 1


@pytest.mark.parametrize("piece", [70_000, 1 << 20])
@pytest.mark.parametrize("indent", [None, 0, 1, 4])
@pytest.mark.parametrize("count", [1, 3, 900])
def test_a_document_of_several_lines(indent: int | None, count: int, piece: int) -> None:
    """A list written over several lines is read tweet by tweet, wherever the pieces are cut."""
    tweets = [tweet(n) for n in range(1, count + 1)]
    lines = ",\n".join(map(json.dumps, tweets))
    content = f"[\n{lines}\n]" if indent is None else json.dumps(tweets, indent=indent)
    found = parsed(content, piece)
    assert texts(found) == [f"tuit {n}" for n in range(1, count + 1)]


def test_pages_and_objects_of_several_lines() -> None:
    """So are a page, with its authors, and objects one after the other."""
    bare = {"id": "5", "author_id": "7", "created_at": AT, "text": "hola"}
    whole = {"data": [bare], "includes": {"users": [{"id": "7", "username": "eva"}]}}
    found = parsed(json.dumps(whole, indent=2) + "\n" + json.dumps(tweet(2), indent=2))
    assert [item.username for item in found if isinstance(item, NewTweet)] == ["eva", "ana"]


def test_a_broken_object_of_a_document() -> None:
    """Of a list over several lines a broken object costs itself, and its line is named."""
    content = json.dumps([tweet(n) for n in range(1, 6)], indent=2).replace('"tuit 3"', '"tuit 3')
    found = parsed(content)
    assert texts(found) == ["tuit 1", "tuit 2", "tuit 4", "tuit 5"]
    assert rejected_lines(found) == [14]


def test_a_document_is_resumed() -> None:
    """An import of a document goes on where it was."""
    content = json.dumps([tweet(n) for n in range(1, 3001)], indent=2).encode()
    first = TweetFile()
    found = parse(first.read(content[:100_000]))
    at = first.checkpoint()
    second = TweetFile()
    second.skip(content[: at.offset])
    assert second.resume(at)
    found += parse(second.read_last(content[at.offset :]))
    assert texts(found) == [f"tuit {n}" for n in range(1, 3001)]


def test_tweets_of_the_api_v1() -> None:
    """An object of v1.1 is read with the id that JavaScript has not rounded, the whole text and its author."""
    old = {
        "id": 1057059196729024500, "id_str": "1057059196729024517", "created_at": "Mon Oct 29 23:58:46 +0000 2018",
        "text": "cortado…", "extended_tweet": {"full_text": "entero"}, "favorite_count": 4, "lang": "es",
        "user": {"id_str": "9", "screen_name": "luz", "location": "Cali", "followers_count": 3},
    }  # fmt: skip
    again = {**old, "id_str": "1057059196729024599", "retweeted_status": old}
    found = [item for item in parsed(json.dumps({"results": [old, again]})) if isinstance(item, NewTweet)]
    assert [(item.id, item.username, item.text) for item in found[:1]] == [(1057059196729024517, "luz", "entero")]
    assert found[0].metrics == {"like_count": 4}
    assert found[1].original
    assert found[1].original.id == found[0].id


@pytest.mark.parametrize("depth", [100, 400, 900])
@pytest.mark.parametrize("of_page", [True, False])
def test_a_deeply_nested_object_costs_itself(depth: int, of_page: bool) -> None:
    """However deep a null character lies in it, it is one rejection, and the others are read, each once."""
    nested = line(2)[:-1] + ', "z": ' + "[" * depth + '"a\\u0000b"' + "]" * depth + "}"
    objects = (line(1), nested, line(3))
    found = parsed(page(*objects) if of_page else "\n".join(objects))
    assert texts(found) == ["tuit 1", "tuit 3"]
    assert rejected_lines(found) == [1 if of_page else 2]


@pytest.mark.parametrize("depth", [100, 300, 900, 1_100])
@pytest.mark.parametrize("holding", HOLDING)
def test_a_deeply_nested_object_that_holds_another_tweet_ends_no_import(holding: str, depth: int) -> None:
    """The other is cut out by writing the object again, which is possible to a smaller depth than to read it."""
    nested = HOLDING[holding][:-1] + ', "z": ' + "[" * depth + "]" * depth + "}"
    found = parsed("\n".join((line(1), nested, line(3))))
    assert [text for text in texts(found) if text != "tuit 2"] == ["tuit 1", "tuit 3"]
    assert len(found) == 3


@pytest.mark.parametrize("value", ["1e999", '"\\ud83c"'])
@pytest.mark.parametrize("holding", HOLDING)
def test_a_broken_field_beside_another_tweet_costs_itself(holding: str, value: str) -> None:
    """A field that is not stored by itself and cannot be read is left out, and so is the other tweet."""
    broken = HOLDING[holding][:-1] + f', "z": {value}}}'
    found = parsed(page(line(1), broken, line(3)))
    assert texts(found) == ["tuit 1", "tuit 2", "tuit 3"]
    assert all("ajeno" not in (item.raw or "") for item in found if isinstance(item, NewTweet))


def test_an_object_nested_deeper_than_any_parser_reads_breaks_nothing() -> None:
    """The tweet before it is read once, and the rest of the page is one rejection."""
    found = parsed(page(line(1), line(2)[:-1] + ', "z": ' + "[" * 40_000 + "]" * 40_000 + "}"))
    assert texts(found)[0] == "tuit 1"
    assert len(texts(found)) == len(set(texts(found)))
