"""Documents over HTTP: stored once, changed in place, erased, and embedded only when they must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import World

HOSPITAL = {"id": "d1", "text": "Construiremos tres hospitales públicos."}


async def test_the_same_upload_again_changes_and_embeds_nothing(world: World) -> None:
    """An unchanged document is neither written nor embedded a second time."""
    document = {**HOSPITAL, "metadata": {"page": 3}, "published_at": "2022-03-01T00:00:00Z"}
    assert await world.upload(document) == {"ids": ["d1"], "created": 1, "updated": 0, "unchanged": 0}
    assert (await world.indexed())["embedded"] == 1
    assert await world.upload(document) == {"ids": ["d1"], "created": 0, "updated": 0, "unchanged": 1}
    await world.indexed()
    assert world.openai.embedded == [HOSPITAL["text"]]


async def test_metadata_changes_without_a_new_embedding_and_text_with_one(world: World) -> None:
    """Only what the encoder sees of a document makes it pending again."""
    await world.upload({"id": "d1", "text": "Bajaremos los impuestos."})
    await world.indexed()
    assert (await world.upload({"id": "d1", "text": "Bajaremos los impuestos.", "metadata": {"page": 4}}))[
        "updated"
    ] == 1
    await world.indexed()
    assert len(world.openai.embedded) == 1
    await world.upload({"id": "d1", "text": "Subiremos los impuestos."})
    await world.indexed()
    assert world.openai.embedded == ["Bajaremos los impuestos.", "Subiremos los impuestos."]
    stored = (await world.call("GET", "/v1/rag/documents/d1"))["data"]
    assert stored["text"] == "Subiremos los impuestos."
    assert stored["embedding_model"] == "hand-made-1"


async def test_a_document_without_an_id_is_named_by_its_content(world: World) -> None:
    """The same text sent twice without an id is one document."""
    first = await world.upload({"text": "Un solo documento."})
    same = {**first, "created": 0, "unchanged": 1}
    assert await world.upload({"text": "Un solo documento."}) == same
    assert await world.upload({"id": first["ids"][0], "text": "Un solo documento."}) == same


async def test_a_new_date_moves_the_document_instead_of_copying_it(world: World) -> None:
    """An id names one document, in whichever year's partition it lies, and moving costs no embedding."""
    await world.upload({"id": "d1", "text": "Reforma agraria integral.", "published_at": "2021-06-01T00:00:00Z"})
    await world.indexed()
    moved = await world.upload(
        {"id": "d1", "text": "Reforma agraria integral.", "published_at": "2023-06-01T00:00:00Z"}
    )
    assert moved["updated"] == 1
    assert (await world.call("GET", "/v1/rag/documents/d1"))["data"]["published_at"] == "2023-06-01T00:00:00.000Z"
    assert (await world.indexed())["documents"] == 1
    assert len(world.openai.embedded) == 1


async def test_an_erased_document_is_gone_from_every_answer(world: World) -> None:
    """After DELETE a document is not found by id nor by search, and a second DELETE is a 404."""
    await world.upload({"id": "d1", "text": "Impuesto a las bebidas azucaradas."})
    await world.indexed()
    await world.call("DELETE", "/v1/rag/documents/d1")
    await world.call("GET", "/v1/rag/documents/d1", status=404)
    found = await world.call("POST", "/v1/rag/search", {"query": "impuesto a las bebidas"})
    assert found["data"]["items"] == []
    again = await world.call("DELETE", "/v1/rag/documents/d1", status=404)
    assert again["code"] == "document_not_found"


@pytest.mark.parametrize(
    "forged",
    [
        {"id": "tweet:1", "source": "x"},
        {"id": "TWEET:1", "source": "x"},
        {"id": "file:00", "source": "x"},
        {"id": "File:0123456789abcdef0123456789abcdef:00001", "source": "x"},
        {"id": "doc:0123456789abcdef0123456789abcdef", "source": "x"},
        {"id": "d1", "source": "Twitter"},
        {"id": "d1", "source": "twitter\u200b"},
        {"id": "d1", "source": "twit\u00adter"},
        {"id": "d1", "source": "тwitter"},
        {"id": "d1", "source": "𝐓𝐰𝐢𝐭𝐭𝐞𝐫"},
        {"id": "d1", "source": "ｔｗｉｔｔｅｒ"},
        {"id": "d1", "source": "tw1tter.com"},
        {"id": "d1", "source": "t w í t t e r"},
        {"id": "d1", "source": "x", "author": "@petrogustavo"},
        {"id": "d1", "source": "x", "author": "\u200b＠petrogustavo"},
        {"id": "d1", "source": "x", "author": "реtrogustavo"},
    ],
)
async def test_nobody_may_upload_a_tweet(world: World, forged: dict[str, str]) -> None:
    """Tweets come from the feed alone, so no upload can put words into an account's mouth; nor into a file's."""
    body = {"documents": [{**forged, "text": "Yo nunca dije esto."}]}
    assert (await world.call("POST", "/v1/rag/documents", body, status=403))["code"] == "reserved_id"


async def test_a_request_that_names_a_document_twice_stores_nothing(world: World) -> None:
    """Which of two versions should win is not guessed."""
    body = {"documents": [{"id": "d1", "text": "uno", "source": "x"}, {"id": "d1", "text": "dos", "source": "x"}]}
    assert (await world.call("POST", "/v1/rag/documents", body, status=409))["code"] == "duplicate_ids"
    await world.call("GET", "/v1/rag/documents/d1", status=404)


@pytest.mark.parametrize(
    "broken",
    [
        {"text": "   "},
        {"text": "a\x00b"},
        {"text": "x" * 8001},
        {"text": "hola", "metadata": {"a": {"b": 1}}},
        {"text": "hola", "metadata": {"a": "\x00"}},
        {"text": "hola", "metadata": {"a": 10**400}},
        {"text": "hola", "id": "con espacio"},
        {"text": "hola", "colour": "red"},
    ],
)
async def test_what_cannot_be_stored_is_refused_with_its_field(world: World, broken: dict[str, object]) -> None:
    """A document that PostgreSQL or the encoder could not take is a 422, never a 500."""
    body = {"documents": [{"source": "x", **broken}]}
    answer = await world.call("POST", "/v1/rag/documents", body, status=422)
    assert answer["details"]["fields"][0]["field"].startswith("body.documents.0")


async def test_each_route_needs_its_scope(world: World) -> None:
    """A token without the scope is refused on every route."""
    world.headers["Authorization"] = "Bearer " + world.token(["trends:read"])
    await world.call("POST", "/v1/rag/documents", {"documents": [{"text": "a", "source": "b"}]}, status=403)
    await world.call("GET", "/v1/rag/documents/d1", status=403)
    await world.call("DELETE", "/v1/rag/documents/d1", status=403)
    await world.call("POST", "/v1/rag/search", {"query": "a"}, status=403)
    await world.call("POST", "/v1/rag/query", {"question": "a"}, status=403)
    await world.call("GET", "/v1/rag/status", status=403)
    await world.call("GET", "/v1/rag/erasures", status=403)


async def test_a_tweet_is_erased_by_the_feed_alone(world: World) -> None:
    """A user who may write documents cannot delete a tweet, which stays."""
    world.feed.add("7", "La salud primero.")
    await world.eventually(lambda: world.cursor_is("1"))
    for name in ("tweet:7", "Tweet:7"):
        assert (await world.call("DELETE", f"/v1/rag/documents/{name}", status=403))["code"] == "reserved_id"
    assert (await world.call("GET", "/v1/rag/documents/tweet:7"))["data"]["origin"] == "feed"


async def test_the_server_says_where_a_document_is_from_and_who_erased_it(world: World) -> None:
    """Origin and who stored it are set by the server, and an erasure leaves who and when."""
    await world.upload(HOSPITAL)
    stored = (await world.call("GET", "/v1/rag/documents/d1"))["data"]
    assert stored["origin"] == "upload"
    assert stored["stored_by"].startswith("user:")
    await world.call("DELETE", "/v1/rag/documents/d1")
    await world.upload({"id": "d2", "text": "Otro documento."})
    await world.call("DELETE", "/v1/rag/documents/d2")
    first = await world.call("GET", "/v1/rag/erasures?limit=1")
    assert [item["id"] for item in first["data"]["items"]] == ["d2"]
    rest = await world.call("GET", f"/v1/rag/erasures?limit=1&cursor={first['meta']['next_cursor']}")
    (erasure,) = rest["data"]["items"]
    assert (erasure["id"], erasure["erased_by"]) == ("d1", stored["stored_by"])
    assert erasure["erased_at"] >= stored["stored_at"]
    await world.call("GET", "/v1/rag/erasures?cursor=-1", status=422)


async def test_documents_are_listed_and_erased_by_source(world: World) -> None:
    """Pages hold the organisation's documents by id and no tweet; erasing a source leaves the others, and who did."""
    world.feed.add("1", "Un tuit.")
    await world.upload(*({"id": f"a{n}", "text": f"Texto {n}."} for n in range(3)), source="uno")
    await world.upload({"id": "b", "text": "Otro texto."}, source="dos")
    await world.eventually(lambda: world.cursor_is("1"))
    first = await world.call("GET", "/v1/rag/documents?limit=2")
    rest = await world.call("GET", f"/v1/rag/documents?limit=2&cursor={first['meta']['next_cursor']}")
    assert [item["id"] for item in [*first["data"]["items"], *rest["data"]["items"]]] == ["a0", "a1", "a2", "b"]
    erased = (await world.call("DELETE", "/v1/rag/documents?source=uno"))["data"]
    assert erased == {"source": "uno", "erased": 3}
    assert (await world.call("DELETE", "/v1/rag/documents?source=uno"))["data"]["erased"] == 0
    left = await world.call("GET", "/v1/rag/documents")
    assert [item["id"] for item in left["data"]["items"]] == ["b"]
    assert len((await world.call("GET", "/v1/rag/erasures"))["data"]["items"]) == 3
    await world.call("GET", "/v1/rag/documents?cursor=a%20b", status=422)
