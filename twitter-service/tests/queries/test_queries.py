"""Lists, cursors, full text, daily counts and who may read."""

from __future__ import annotations

import csv
import io
import json

import asyncpg
import pytest
from pyarrow.parquet import ParquetFile

from castor_chassis import decode_cursor, encode_cursor

from ..conftest import FIRST_ID, Twitter, csv_of, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEADY = ("id", "username", "author_id", "created_at", "text", "lang", "entities", "axes", "places", "retweets")
ANA = {"id": "ana", "name": "Ana", "kind": "candidate", "handles": ["ana"]}


async def ids(twitter: Twitter, **params: object) -> list[str]:
    """List the ids of tweets."""
    return [tweet["id"] for tweet in (await twitter.data("/tweets", **params))["items"]]


async def test_cursor_pages(twitter: Twitter) -> None:
    """Pages are newest first, complete and without repeats, also among equal times and while tweets arrive."""
    rows = [(n, "ana", f"2022-05-01T10:00:{n % 3:02}Z", "t") for n in range(1, 101)]
    await twitter.imported(csv_of(rows))
    seen: list[str] = []
    params: dict[str, object] = {"limit": 17}
    while True:
        answer = (await twitter.get("/tweets", **params)).json()
        seen += [tweet["id"] for tweet in answer["data"]["items"]]
        if answer["meta"]["next_cursor"] is None:
            break
        params["cursor"] = answer["meta"]["next_cursor"]
        await twitter.imported(csv_of([(1000 + len(seen), "new", "2022-06-01T10:00:00Z", "later")]))
    assert seen == [str(n) for _, n in sorted(((n % 3, n) for n in range(1, 101)), reverse=True)]


@pytest.mark.parametrize("cursor", ["x", "1", "-1-1", "1-1-1", "1-ñ", "999999999999999999-1"])
async def test_foreign_cursors(twitter: Twitter, cursor: str) -> None:
    """A cursor that is not ours is refused with 422."""
    assert (await twitter.get("/tweets", cursor=cursor)).status_code == 422


async def test_a_cursor_at_the_end_of_time(twitter: Twitter) -> None:
    """The last position that a cursor can hold is before every tweet."""
    await twitter.imported(numbered(3))
    cursor = (await twitter.get("/tweets", limit=1)).json()["meta"]["next_cursor"]
    last = encode_cursor({**decode_cursor(cursor), "at": ["9999-12-31T23:59:59Z", 2**63 - 1]})
    assert len(await ids(twitter, cursor=last)) == 3


async def test_filters(twitter: Twitter, database: asyncpg.Connection) -> None:
    """Each filter narrows the list, and all hold together; until is exclusive, since and as_of inclusive."""
    await twitter.send("POST", "/entities", ANA)
    rows = [
        (1, "Ana", "2022-05-01T10:00:00Z", "La educación pública"),
        (2, "luis", "2022-05-02T10:00:00Z", "hola @ana, las carreteras"),
        (3, "eva", "2022-05-03T10:00:00Z", "educar a los niños"),
    ]
    await twitter.imported(csv_of(rows))
    await twitter.settled()
    await database.execute("UPDATE tweets SET label = CASE id WHEN 2 THEN 'positive' ELSE 'neutral' END")
    assert await ids(twitter, entity="ana") == ["2", "1"]
    assert await ids(twitter, author="@ANA") == ["1"]
    assert await ids(twitter, label="positive", entity="ana") == ["2"]
    assert await ids(twitter, q="EDUCACION") == ["1"]
    assert await ids(twitter, q="carretera OR niño") == ["3", "2"]
    assert await ids(twitter, q='"educación pública" -hola') == ["1"]
    assert await ids(twitter, since="2022-05-02T10:00:00Z", until="2022-05-03T10:00:00Z") == ["2"]
    assert await ids(twitter, as_of="2022-05-02T10:00:00Z") == ["2", "1"]
    assert (await twitter.get("/tweets", entity="nobody")).status_code == 404


async def test_searches_combine_words(twitter: Twitter) -> None:
    """AND, OR, NOT, parentheses and phrases select what they say; what cannot be read is refused in words."""
    texts = ["salud y paz", "salud sin acuerdo", "paz y café", "la salud pública", "pública la salud"]
    await twitter.imported(csv_of([(n, "a", "2022-05-01T10:00:00Z", text) for n, text in enumerate(texts, 1)]))
    await twitter.settled()
    assert await ids(twitter, q="salud AND NOT (paz OR acuerdo)") == ["5", "4"]
    assert await ids(twitter, q="(salud OR café) paz") == ["3", "1"]
    assert await ids(twitter, q='"salud pública"') == ["4"]
    assert await ids(twitter, q="SALUDES") == await ids(twitter, q="salud") == ["5", "4", "2", "1"]
    refused = await twitter.get("/tweets", q="(salud")
    assert (refused.status_code, refused.json()["details"]["fields"][0]["field"]) == (422, "query.q")


async def test_what_does_not_exist_is_not_an_empty_list(twitter: Twitter) -> None:
    """An unknown place is 404 and an unknown axis 422; a place without tweets is an empty list."""
    place, axis = [await twitter.get("/tweets", **each) for each in ({"place": "atlantida"}, {"axis": "magia"})]
    assert (place.status_code, place.json()["code"], axis.status_code) == (404, "place_not_found", 422)
    assert (await twitter.data("/tweets", place="antioquia"))["items"] == []


async def test_counts_in_bogota_days_with_gaps(twitter: Twitter) -> None:
    """A tweet counts on its Bogota day, five hours behind UTC; days without any tweet are gaps, not zeros."""
    await twitter.send("POST", "/entities", ANA)
    rows = [
        (1, "ana", "2022-05-02T04:59:59Z", "todo bien"),
        (2, "ana", "2022-05-02T05:00:00Z", "x"),
        (3, "eva", "2022-05-02T20:00:00Z", "x"),
        (4, "eva", "2022-05-04T20:00:00Z", "x"),
    ]
    await twitter.imported(csv_of(rows))
    while (await twitter.data("/scores/progress"))["pending"]:
        pass
    days = (await twitter.data("/counts/daily", entity="ana"))["items"]
    assert [(d["date"], d["tweets"], d["total_tweets"], d["gap"]) for d in days] == [
        ("2022-05-01", 1, 1, False),
        ("2022-05-02", 1, 2, False),
        ("2022-05-03", 0, 0, True),
        ("2022-05-04", 0, 1, False),
    ]
    assert (days[0]["scored"], days[0]["positive"], days[1]["neutral"]) == (1, 1, 1)


async def test_counts_as_of(twitter: Twitter) -> None:
    """as_of hides what was written later, and no day after it is given."""
    await twitter.send("POST", "/entities", ANA)
    await twitter.imported(csv_of([(n, "ana", f"2022-05-{n:02}T15:00:00Z", "x") for n in range(1, 11)]))
    days = (await twitter.data("/counts/daily", entity="ana", as_of="2022-05-05T14:00:00Z", until="2022-05-09"))[
        "items"
    ]
    assert [(d["date"], d["tweets"], d["gap"]) for d in days][-2:] == [
        ("2022-05-04", 1, False),
        ("2022-05-05", 0, True),
    ]
    assert (await twitter.data("/counts/daily", as_of="2021-01-01T00:00:00Z"))["items"] == []


async def test_counts_pages_and_range(twitter: Twitter) -> None:
    """A range is answered in pages of whole days, for all entities, days before the first tweet as gaps."""
    await twitter.send("POST", "/entities", ANA)
    await twitter.send("POST", "/entities", {**ANA, "id": "eva", "handles": ["eva"]})
    await twitter.imported(csv_of([(1, "ana", "2022-05-03T15:00:00Z", "x")]))
    params = {"since": "2022-05-01T12:00:00Z", "until": "2022-05-04", "limit": 3}
    seen, answer = [], (await twitter.get("/counts/daily", **params)).json()
    seen += answer["data"]["items"]
    while answer["meta"]["next_cursor"]:
        answer = (await twitter.get("/counts/daily", **params, cursor=answer["meta"]["next_cursor"])).json()
        seen += answer["data"]["items"]
    assert [(d["date"][-2:], d["entity"], d["tweets"], d["gap"]) for d in seen] == [
        (day, entity, int((day, entity) == ("03", "ana")), day != "03")
        for day in ("01", "02", "03", "04")
        for entity in ("ana", "eva")
    ]
    assert (await twitter.get("/counts/daily", since="2022-05-04", until="2022-05-01")).status_code == 422
    for day in ("mayo", "0", "20220501", "2022-05-01T00:00:00"):
        assert (await twitter.get("/counts/daily", since=day)).status_code == 422, day


async def test_extreme_times(twitter: Twitter) -> None:
    """The ends of the calendar are answered, not failed on."""
    await twitter.send("POST", "/entities", ANA)
    await twitter.imported(numbered(3))
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        for path in ("/tweets", "/counts/daily", "/counts/axes"):
            for name in ("since", "until", "as_of"):
                response = await twitter.get(path, **{name: moment})
                assert response.status_code in (200, 422), (path, name, moment, response.text)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/imports", "tweets:write"),
        ("GET", "/imports/x", "tweets:read"),
        ("GET", "/tweets", "tweets:read"),
        ("GET", "/tweets/1", "tweets:read"),
        ("GET", "/tweets/feed", "feed:read"),
        ("GET", "/counts/daily", "counts:read"),
        ("GET", "/counts/axes", "counts:read"),
        ("GET", "/scores/progress", "tweets:read"),
        ("POST", "/entities", "entities:write"),
        ("DELETE", "/entities/x", "entities:write"),
        ("POST", "/erasures", "tweets:write"),
    ],
)
async def test_scopes(twitter: Twitter, method: str, path: str, scope: str) -> None:
    """Every route refuses a caller without a token, and one whose token lacks its scope."""
    client = twitter.service.client
    assert (await client.request(method, f"/v1/twitter{path}")).status_code == 401
    token = twitter.issuer.user_token(["trends:read"])
    response = await client.request(method, f"/v1/twitter{path}", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 403
    assert scope in response.json()["error"]


async def test_who_may_count_may_know_whom(twitter: Twitter) -> None:
    """The names of entities are open to whoever reads counts, without their tweets."""
    await twitter.send("POST", "/entities", ANA)
    given = {"Authorization": f"Bearer {twitter.issuer.user_token(['counts:read'])}"}
    listed = await twitter.service.client.get("/v1/twitter/entities", headers=given)
    assert [entity["id"] for entity in listed.json()["data"]["items"]] == [ANA["id"]]
    assert (await twitter.service.client.get("/v1/twitter/tweets", headers=given)).status_code == 403


async def test_filter_by_axis_place_and_language(twitter: Twitter) -> None:
    """Axis, place and language narrow the list, and an unknown axis is refused."""
    user = {"users": [{"id": "7", "username": "ana", "location": "Cali, Colombia"}]}
    rows = [("1", "la salud", "es"), ("2", "hello peace", "en"), ("3", "salud y paz", "es")]
    data = [
        {"id": i, "text": text, "lang": lang, "author_id": "7", "created_at": f"2022-05-0{i}T10:00:00Z"}
        for i, text, lang in rows
    ]
    await twitter.imported(json.dumps({"data": data, "includes": user}))
    assert await ids(twitter, axis="salud") == ["3", "1"]
    assert await ids(twitter, axis="paz", lang="es") == ["3"]
    assert await ids(twitter, lang="en", place="valle-del-cauca") == ["2"]
    assert await ids(twitter, place="antioquia") == []
    assert (await twitter.get("/tweets", axis="deporte")).status_code == 422


async def test_hourly_counts_mark_gaps(twitter: Twitter) -> None:
    """Every hour of the days asked for is given; one without any tweet is a gap, one without the entity a zero."""
    await twitter.send("POST", "/entities", ANA)
    rows = [(1, "Ana", "2022-05-01T10:20:00Z", "x"), (2, "luis", "2022-05-01T12:00:00Z", "y")]
    await twitter.imported(csv_of(rows))
    items = (await twitter.data("/counts/hourly", entity="ana", since="2022-05-01", until="2022-05-01"))["items"]
    assert (len(items), items[0]["hour"], items[-1]["hour"]) == (
        24,
        "2022-05-01T05:00:00.000Z",
        "2022-05-02T04:00:00.000Z",
    )
    by_hour = {item["hour"][:13]: (item["tweets"], item["total_tweets"], item["gap"]) for item in items}
    assert [by_hour[f"2022-05-01T{hour}"] for hour in (10, 11, 12)] == [(1, 1, False), (0, 0, True), (0, 1, False)]
    until_then = await twitter.data("/counts/hourly", entity="ana", since="2022-05-01", as_of="2022-05-01T11:30:00Z")
    assert until_then["items"][-1]["hour"] == "2022-05-01T11:00:00.000Z"


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
async def test_an_export_can_be_imported_again(twitter: Twitter, kind: str) -> None:
    """An export streams every tweet that meets the conditions, over several pages, in a form that imports accept."""
    await twitter.imported(numbered(2500, text="año; 2 líneas, {}"))
    response = await twitter.get("/exports", format=kind, author="user3")
    assert response.status_code == 200
    wanted = [n for n in range(2500) if n % 7 == 3]
    assert len(response.text.splitlines()) == len(wanted) + (kind == "csv")
    whole = (await twitter.get("/exports", format=kind)).text
    again = await twitter.imported(whole)
    assert (again["rows"], again["duplicates"], again["rejected"]) == (2500, 2500, 0)
    assert (await twitter.get("/exports", format=kind, entity="nobody")).status_code == 404


FORMULAS = [
    '=HYPERLINK("http://x.invalid","ver")',
    "+57 es el indicativo",
    "-2 puntos",
    "@ana mira",
    "=1+1",
    "'comillas'",
]


@pytest.mark.parametrize("excel", [False, True])
async def test_no_cell_is_a_formula(twitter: Twitter, excel: bool) -> None:
    """A CSV holds no cell that a spreadsheet runs; for Excel it has a mark, semicolons and ids as text; or all raw."""
    tweets = [{"id": str(FIRST_ID + n), "username": "luz", "text": text} for n, text in enumerate(FORMULAS)]
    await twitter.imported("\n".join(map(json.dumps, tweets)))
    content = (await twitter.get("/exports", format="csv", excel=excel)).content
    assert content.startswith(b"\xef\xbb\xbf") == excel
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";" if excel else ","))
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert {row["id"][0] for row in rows} == {"'" if excel else "1"}
    raw = (await twitter.get("/exports", format="csv", raw=True)).text
    assert [row["text"] for row in csv.DictReader(io.StringIO(raw))] == FORMULAS[::-1]


async def test_an_export_for_excel_comes_back_as_it_was(twitter: Twitter, database: asyncpg.Connection) -> None:
    """An import takes back the apostrophes that an export has put in, and no others."""
    tweets = [{"id": str(FIRST_ID + n), "username": "luz", "author_id": "5", "text": t} for n, t in enumerate(FORMULAS)]
    await twitter.imported("\n".join(map(json.dumps, tweets)))
    content = (await twitter.get("/exports", format="csv", excel=True)).content
    for table in ("tweets", "tweet_raw", "tweet_search"):
        await database.execute(f"DELETE FROM {table}")
    done = await twitter.imported(content)
    assert (done["accepted"], done["rejected"]) == (len(FORMULAS), 0)
    items = (await twitter.data("/tweets"))["items"]
    assert sorted((item["id"], item["text"], item["author_id"]) for item in items) == [
        (str(FIRST_ID + n), text, "5") for n, text in enumerate(FORMULAS)
    ]


async def test_a_parquet_export_holds_what_the_lines_hold(twitter: Twitter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is whole, in several groups of rows, with typed columns; none without a tweet."""
    monkeypatch.setattr("twitter_service.queries.parquet.GROUP_ROWS", 1000)
    await twitter.send("POST", "/entities", ANA)
    await twitter.imported(numbered(2500, text="año; @ana, {}"))
    answer = await twitter.get("/exports", format="parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    file = ParquetFile(io.BytesIO(answer.content))
    assert file.num_row_groups == 3
    assert str(file.schema_arrow.field("created_at").type) == "timestamp[us, tz=UTC]"
    lines = [json.loads(line) for line in (await twitter.get("/exports", format="jsonl")).text.splitlines()]
    rows = file.read().to_pylist()
    found = [{**row, "id": str(row["id"]), "created_at": f"{row['created_at']:%Y-%m-%dT%H:%M:%S.000Z}"} for row in rows]
    # Scores and assessments may arrive between the two exports.
    assert [{name: row[name] for name in STEADY} for row in found] == [
        {name: line[name] for name in STEADY} for line in lines
    ]
    assert all(0.1 <= row["credibility"] <= 1 for row in rows)
    nothing = await twitter.get("/exports", format="parquet", author="nobody")
    assert ParquetFile(io.BytesIO(nothing.content)).metadata.num_rows == 0


async def test_total_counts(twitter: Twitter) -> None:
    """All tweets of a span of Bogota days are counted, whoever they speak of; outside it none."""
    rows = [(9000 + n, "ana", f"2019-05-0{n}T04:59:00Z", "x") for n in range(1, 6)]
    await twitter.imported(csv_of(rows))
    total = await twitter.data("/counts/total", since="2019-05-01", until="2019-05-03")
    assert total["tweets"] == 3
    assert total["scored"] == total["positive"] + total["neutral"] + total["negative"]
    assert (await twitter.data("/counts/total", as_of="2019-05-02T00:00:00Z"))["tweets"] == 1
