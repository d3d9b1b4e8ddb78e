"""What services of the system write about what people say: stored for an organisation, and no voice of the public."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import thumbprint_of

if TYPE_CHECKING:
    from conftest import World

SCOPES = ("documents:write", "documents:read", "rag:query")
TEXT = "La mayoría pide un hospital para la vereda, según las tendencias de mayo."
SUMMARY = {"id": "resumen-mayo", "text": TEXT, "source": "tendencias", "metadata": {"kind": "trends"}}
QUESTION = "¿Qué se dice del hospital de la vereda?"


class Caller:
    """Somebody who calls the service with a token."""

    def __init__(self, world: World, token: str) -> None:
        self._client, self._headers = world.service.client, {"Authorization": f"Bearer {token}"}

    async def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Return the answer to a request."""
        return await self._client.request(method, f"/v1/rag/{path}", json=body, headers=self._headers)

    async def store(self, *documents: dict[str, Any], **fields: Any) -> httpx.Response:
        """Send documents."""
        return await self.send("POST", "documents", {"documents": list(documents), **fields})

    async def found(self, **filters: str) -> list[str]:
        """Return the ids that a search finds."""
        answer = await self.send("POST", "search", {"query": QUESTION, "filters": filters})
        assert answer.status_code == 200, answer.text
        return sorted(item["document"]["id"] for item in answer.json()["data"]["items"])

    async def is_embedded(self) -> bool:
        """Whether no document waits for its vector."""
        return bool((await self.send("GET", "status")).json()["data"]["pending"] == 0)


@pytest.fixture
def service(world: World) -> Caller:
    """Another service, with a token that is bound to its certificate."""
    thumbprint = thumbprint_of(world.caller)
    return Caller(world, world.issuer.service_token("twitter-service", "rag-service", SCOPES, thumbprint))


@pytest.fixture
def newsroom(world: World) -> Caller:
    """A user of an organisation."""
    return Caller(world, world.issuer.user_token(SCOPES, org="redaccion"))


async def test_a_service_stores_an_analysis_for_an_organisation(
    world: World, service: Caller, newsroom: Caller
) -> None:
    """It is that organisation's alone, the server says who made it, and search tells it from what people wrote."""
    for created in (1, 0):
        stored = await service.store(SUMMARY, organisation="redaccion")
        assert (stored.status_code, stored.json()["data"]["created"]) == (201, created)
    assert (await newsroom.store({"id": "carta", "text": "Un hospital ya.", "source": "cartas"})).status_code == 201
    analysis = (await newsroom.send("GET", "documents/resumen-mayo")).json()["data"]
    assert (analysis["origin"], analysis["stored_by"]) == ("analysis", "service:twitter-service")
    assert await newsroom.found() == ["carta", "resumen-mayo"]
    assert await newsroom.found(origin="analysis") == ["resumen-mayo"]
    assert await newsroom.found(stored_by="service:twitter-service") == ["resumen-mayo"]
    assert await newsroom.found(origin="upload") == ["carta"]
    await world.call("GET", "/v1/rag/documents/resumen-mayo", status=404)


async def test_an_answer_counts_no_analysis_as_a_voice(world: World, service: Caller, newsroom: Caller) -> None:
    """Neither a position nor a citation nor a count is of an analysis, and none can be asked for."""
    voice = {"id": "carta", "text": "Queremos un hospital en la vereda.", "source": "cartas", "author": "luz"}
    await newsroom.store(voice)
    copy = {**SUMMARY, "id": "copia", "text": voice["text"]}
    await service.store(SUMMARY, copy, organisation="redaccion")
    await world.eventually(newsroom.is_embedded)
    answer = (await newsroom.send("POST", "query", {"question": QUESTION})).json()["data"]
    assert [(one["id"], one["same"]) for one in answer["citations"]] == [("carta", 0)]
    assert [(one["documents"], one["share"]) for one in answer["positions"]] == [(1, 1.0)]
    refused = await newsroom.send("POST", "query", {"question": QUESTION, "filters": {"origin": "analysis"}})
    assert (refused.status_code, refused.json()["details"]["fields"][0]["field"]) == (422, "body.filters.origin")


async def test_nobody_else_stores_for_an_organisation_or_as_a_service(service: Caller, newsroom: Caller) -> None:
    """A user names no other organisation; who sends the same text again is who stored it; no service is everybody."""
    refused = await newsroom.store(SUMMARY, organisation="campana")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_organisation")
    assert (await newsroom.store(SUMMARY, organisation="redaccion")).status_code == 201
    assert (await newsroom.found(origin="upload"), await newsroom.found(origin="analysis")) == ([SUMMARY["id"]], [])
    assert (await service.store(SUMMARY, organisation="redaccion")).json()["data"]["updated"] == 1
    assert (await newsroom.found(origin="upload"), await newsroom.found(origin="analysis")) == ([], [SUMMARY["id"]])
    for organisation in ("*", "", "a,b", "redacción"):
        assert (await service.store(SUMMARY, organisation=organisation)).status_code == 422


async def test_a_service_erases_what_it_stored_and_nothing_else(service: Caller, newsroom: Caller) -> None:
    """For the organisation that it names; a user names no other one."""
    await service.store(SUMMARY, organisation="redaccion")
    await newsroom.store({"id": "carta", "text": "Un hospital ya.", "source": "cartas"})
    assert (await service.send("DELETE", "documents/carta?organisation=redaccion")).status_code == 404
    assert (await service.send("DELETE", f"documents/{SUMMARY['id']}")).status_code == 404
    assert (await newsroom.send("DELETE", "documents/carta?organisation=campana")).status_code == 403
    assert (await service.send("DELETE", f"documents/{SUMMARY['id']}?organisation=redaccion")).status_code == 200
    assert await newsroom.found() == ["carta"]


async def test_who_asks_for_a_forecast_is_told_the_newest_analysis(
    world: World, service: Caller, newsroom: Caller
) -> None:
    """It comes first, with who made it and when, and counts in no share; what people say follows."""
    title, day = "Pronóstico del índice de Gustavo Petro", "2022-05-2{}T12:00:00Z"
    drafts = [
        {
            "id": f"p{number}",
            "title": title,
            "text": f"Se pronostican {number},5 puntos.",
            "published_at": day.format(number),
        }
        for number in (7, 8)
    ]
    other = {"id": "otro", "title": "Pronóstico del índice de Sergio Fajardo", "text": "Se pronostican 9 puntos."}
    stored = [{**draft, "source": "pronosticos"} for draft in (*drafts, other)]
    await service.store(*stored, organisation="redaccion")
    await newsroom.store(
        {"id": "carta", "text": "Gustavo Petro ganará, pronostica mi vecino.", "source": "cartas", "author": "luz"}
    )
    await world.eventually(newsroom.is_embedded)
    answer = (await newsroom.send("POST", "query", {"question": "¿Qué se pronostica para Gustavo Petro?"})).json()[
        "data"
    ]
    assert [one["id"] for one in answer["citations"]] == ["p8", "carta"]
    cited = answer["citations"][0]
    assert (cited["quote"], cited["start"], cited["end"]) == ("Se pronostican 8,5 puntos.", 0, 26)
    assert (cited["origin"], cited["stored_by"]) == ("analysis", "service:twitter-service")
    assert '"Se pronostican 8,5 puntos." [p8] (análisis de twitter-service, 28 de mayo de 2022)' in answer["answer"]
    assert [(one["documents"], one["citations"]) for one in answer["positions"]] == [(1, ["carta"])]
    voices = (await newsroom.send("POST", "query", {"question": "¿Qué se dice de Petro?"})).json()["data"]
    assert [one["id"] for one in voices["citations"]] == ["carta"]
    assert await _cited(newsroom, "¿Qué se pronostica para Petro?", filters={"origin": "upload"}) == ["carta"]
    strangers = await world.call("POST", "/v1/rag/query", {"question": "¿Qué se pronostica para Petro?"})
    assert strangers["data"]["citations"] == []


async def test_who_asks_what_was_trending_is_told_the_trends_of_that_time(service: Caller, newsroom: Caller) -> None:
    """Those of the day, the largest first, also where nobody spoke of trends; in either form of an accent."""
    for name, day, tweets in (("paro", 28, 900), ("debate", 28, 2000), ("cierre", 29, 5000)):
        draft = {"id": name, "title": f"Tendencia: #{name}", "text": f"«#{name}» fue tendencia en {tweets} tuits."}
        more = {"published_at": f"2022-05-{day}T15:00:00Z", "source": "tendencias", "metadata": {"tweets": tweets}}
        await service.store({**draft, **more}, organisation="redaccion")
    asked = {"as_of": "2022-05-29T23:00:00Z"}
    assert await _cited(newsroom, "¿Qué fue tendencia ayer?", **asked) == ["debate", "paro"]
    assert await _cited(newsroom, "¿Qué es tendencia?", **asked) == ["cierre", "debate", "paro"]
    question = unicodedata.normalize("NFD", "¿El debate fue tendencia en mayo, según el análisis?")
    assert await _cited(newsroom, question, **asked) == ["debate"]
    assert await _cited(newsroom, "¿Qué fue tendencia en Cali?", **asked) == []


async def _cited(caller: Caller, question: str, **asked: Any) -> list[str]:
    """Return the ids that an answer cites."""
    answer = await caller.send("POST", "query", {"question": question, **asked})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["data"]["citations"]]
