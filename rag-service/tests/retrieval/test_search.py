"""POST /v1/rag/search: words, meaning, filters, time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World


def _ids(found: Any) -> list[str]:
    return [item["document"]["id"] for item in found["data"]["items"]]


async def test_a_paraphrase_is_found_by_meaning_and_words_by_words(world: World) -> None:
    """A document that shares no word with the question is found, and each hit says which way it was found."""
    await world.upload(
        {"id": "salud", "text": "Más clínicas y médicos para el pueblo."},
        {"id": "gas", "text": "Explotaremos el gas del Caribe."},
        {"id": "campo", "text": "Títulos de tierra para campesinos."},
    )
    await world.indexed()
    found = await world.call("POST", "/v1/rag/search", {"query": "hospitales", "limit": 1})
    (hit,) = found["data"]["items"]
    assert hit["document"]["id"] == "salud"
    assert (hit["lexical_rank"], hit["dense_rank"]) == (None, 1)
    assert hit["similarity"] > 0.9
    found = await world.call("POST", "/v1/rag/search", {"query": "titulos de tierra"})
    assert _ids(found)[0] == "campo"
    assert found["data"]["items"][0]["lexical_rank"] == 1
    assert "degraded" not in found["meta"] or found["meta"]["degraded"] is None


async def test_filters_all_hold(world: World) -> None:
    """Source, author, entity and time each leave out what they should, together too."""
    await world.upload(
        {"id": "a", "author": "Ana", "entities": ["petro"], "published_at": "2022-01-01T00:00:00Z"},
        {"id": "b", "author": "ana", "entities": ["fico", "petro"], "published_at": "2022-02-01T00:00:00Z"},
        {"id": "c", "author": "luz", "entities": ["fico"], "published_at": "2022-03-01T00:00:00Z", "source": "prensa"},
        text="Debate sobre impuestos.",
    )
    await world.indexed()

    async def found(**filters: str) -> list[str]:
        body = {"query": "debate impuestos", "filters": filters}
        return sorted(_ids(await world.call("POST", "/v1/rag/search", body)))

    assert await found() == ["a", "b", "c"]
    assert await found(source="prensa") == ["c"]
    assert await found(author="@ANA") == ["a", "b"]
    assert await found(entity="fico") == ["b", "c"]
    assert await found(since="2022-02-01T00:00:00Z") == ["b", "c"]
    assert await found(until="2022-02-01T00:00:00Z") == ["a"]
    assert await found(author="ana", entity="fico", since="2022-01-15T00:00:00-05:00") == ["b"]
    assert await found(author="nadie") == []


@pytest.mark.parametrize("query", ["hospitales", "hospi\u00adtales", "𝗵𝗼𝘀𝗽𝗶𝘁𝗮𝗹𝗲𝘀", "hos\u200bpitales", "hospi-\ntales"])
async def test_a_word_is_found_however_it_is_written(world: World, query: str) -> None:
    """Broken lines, invisible characters and styled letters make no difference, in the question or in the text."""
    world.openai.down = True
    await world.upload({"id": "a", "text": f"Más {query} ya"}, {"id": "b", "text": "Más hospitales, no menos"})
    assert sorted(_ids(await world.call("POST", "/v1/rag/search", {"query": query}))) == ["a", "b"]


async def test_what_the_feed_says_of_a_tweet_filters(world: World) -> None:
    """Axis, place and sentiment of a tweet each leave out what they should."""
    scores = {"positive": 0.1, "neutral": 0.1, "negative": 0.8, "label": "negative", "model": "m@1"}
    world.feed.add("1", "Debate de salud", axes=["salud"], places=["cali"], sentiment=scores)
    world.feed.add("2", "Debate de salud y paz", axes=["salud", "paz"], places=["pasto"])
    await world.eventually(lambda: world.cursor_is("2"))
    cases: tuple[tuple[dict[str, str], list[str]], ...] = (
        ({"axis": "salud"}, ["tweet:1", "tweet:2"]),
        ({"axis": "paz"}, ["tweet:2"]),
        ({"place": "cali"}, ["tweet:1"]),
        ({"sentiment": "negative"}, ["tweet:1"]),
        ({"sentiment": "positive"}, []),
        ({"axis": "salud", "place": "pasto"}, ["tweet:2"]),
    )
    for filters, expected in cases:
        body = {"query": "debate de salud", "filters": filters}
        assert sorted(_ids(await world.call("POST", "/v1/rag/search", body))) == expected, filters


async def test_age_counts_on_request(world: World) -> None:
    """With a half-life the newer of two documents comes first, although the older one fits better."""
    world.openai.down = True
    await world.upload(
        {"id": "old", "text": "Reforma tributaria", "published_at": "2022-01-01T00:00:00Z"},
        {"id": "new", "text": "La reforma tributaria y otras cosas largas", "published_at": "2022-04-30T00:00:00Z"},
    )
    body = {"query": "reforma tributaria", "as_of": "2022-05-01T00:00:00Z"}
    assert _ids(await world.call("POST", "/v1/rag/search", body)) == ["old", "new"]
    assert _ids(await world.call("POST", "/v1/rag/search", {**body, "half_life_days": 7})) == ["new", "old"]
    await world.call("POST", "/v1/rag/search", {**body, "half_life_days": 0}, status=422)


async def test_as_of_shows_the_past_as_it_was(world: World) -> None:
    """What was published after ``as_of`` changes neither the hits nor their scores."""
    await world.upload({"id": "old", "text": "Reforma tributaria", "published_at": "2021-12-31T23:59:59Z"})
    await world.indexed()
    body = {"query": "reforma tributaria", "as_of": "2022-01-01T00:00:00Z"}
    before = await world.call("POST", "/v1/rag/search", body)
    await world.upload(
        *({"id": f"new{n}", "text": "Reforma tributaria", "published_at": "2022-06-01T00:00:00Z"} for n in range(9))
    )
    await world.indexed()
    after = await world.call("POST", "/v1/rag/search", body)
    assert after == before
    assert _ids(after) == ["old"]
    assert after["meta"]["as_of"] == "2022-01-01T00:00:00.000Z"
    assert len(_ids(await world.call("POST", "/v1/rag/search", {"query": "reforma tributaria"}))) == 10


@pytest.mark.parametrize("kind", ["entity", "place", "axis", "dataset"])
async def test_a_filter_that_no_document_meets_is_refused(world: World, kind: str) -> None:
    """An entity, place, axis or data set of no document is 422 and named, in every route that filters."""
    world.feed.add("1", "Reforma tributaria")
    await world.eventually(lambda: world.cursor_is("1"))
    filters = {kind: "nadie"}
    asked = {"question": "¿Reforma?", "filters": filters}
    for path, body in (
        ("search", {"query": "reforma", "filters": filters}),
        ("query", asked),
        ("query/stream", asked),
        ("evaluations", {"questions": [{**asked, "relevant": ["tweet:1"]}]}),
    ):
        refused = await world.call("POST", f"/v1/rag/{path}", body, status=422)
        assert (refused["code"], refused["details"]["fields"][0]["field"]) == ("filter_unknown", f"body.filters.{kind}")


async def test_a_span_of_days(world: World) -> None:
    """Days of Bogota bound a search and a list of documents as moments do, both ends included."""
    for name, at in (("a", "2022-05-28T04:59:59Z"), ("b", "2022-05-28T05:00:00Z"), ("c", "2022-05-29T05:00:00Z")):
        await world.upload({"id": name, "text": "Reforma tributaria", "published_at": at})
    await world.indexed()
    body = {"query": "reforma", "filters": {"since": "2022-05-28", "until": "2022-05-28"}}
    assert _ids(await world.call("POST", "/v1/rag/search", body)) == ["b"]
    listed = await world.call("GET", "/v1/rag/documents?since=2022-05-28&until=2022-05-28")
    assert [item["id"] for item in listed["data"]["items"]] == ["b"]
