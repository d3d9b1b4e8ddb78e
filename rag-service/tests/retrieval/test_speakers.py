"""Whose words a question asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rag_service.retrieval.speakers import MOST_SPEAKERS, speakers_among, without_speakers
from rag_service.text.terms import question_terms

if TYPE_CHECKING:
    from conftest import World


@pytest.mark.parametrize(
    ("question", "authors", "speakers"),
    [
        ("¿Qué propone Gustavo Petro?", ["gustavolopez", "petrogustavo", None], ["petrogustavo"]),
        ("¿Qué propone Petro?", ["petro_fan", "petrogustavo", "petrogustavo"], ["petrogustavo"]),
        ("¿Qué dicen Petro y Fico del gas?", ["soyfico", "petrogustavo"], ["petrogustavo", "soyfico"]),
        ("¿Qué dicen de Petro?", ["petrogustavo"], []),
        ("¿Qué dice @ana?", ["ana_maria", "ana_maria", "Ana"], ["Ana"]),
        ("¿Qué dice @persona_6?", ["persona_60", "persona_60", "persona_6"], ["persona_6"]),
        ("¿Qué propone Claudia?", ["petrogustavo"], []),
    ],
)
def test_a_speaker_is_the_account_that_holds_most_of_the_names(
    question: str, authors: list[str | None], speakers: list[str]
) -> None:
    """Then the one that wrote most; nobody who is only spoken of, and nobody without an account here."""
    assert speakers_among(question_terms(question), authors) == speakers


def test_only_so_many_speakers_are_searched() -> None:
    """A question to many costs no more than one to three."""
    names = ["Alberto", "Beatriz", "Camila", "Daniela", "Esteban"]
    terms = question_terms(f"¿Qué dicen {' y '.join(names)}?")
    assert len(speakers_among(terms, [name.lower() for name in names])) == MOST_SPEAKERS


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("¿Qué propone Gustavo Petro para la salud?", "¿Qué propone para la salud?"),
        ("¿Qué dicen Petro y Fico del gas?", "¿Qué dicen del gas?"),
        ("¿Qué propone Herna\u0301ndez del gas?", "¿Qué propone del gas?"),
        ("¿Qué dicen de Petro?", "¿Qué dicen de Petro?"),
    ],
)
def test_the_rest_of_the_question_stays_as_it_is_asked(question: str, left: str) -> None:
    """Only the names of speakers go, with what joins them."""
    assert without_speakers(question, question_terms(question)) == left


async def test_what_the_account_wrote_comes_before_what_is_written_about_it(world: World) -> None:
    """Its own words come first, although they do not hold the name; those of others are found too."""
    world.openai.down = True
    world.feed.add("1", "Petro no propone nada sobre el metro, dice Petro.", username="vecino")
    world.feed.add("2", "El metro será subterráneo.", username="petrogustavo")
    world.feed.add("3", "El metro de Petro.", username="luz")
    await world.eventually(lambda: world.cursor_is("3"))
    found = await world.call("POST", "/v1/rag/search", {"query": "¿Qué propone Petro sobre el metro?"})
    ids = [item["document"]["id"] for item in found["data"]["items"]]
    assert (ids[0], sorted(ids)) == ("tweet:2", ["tweet:1", "tweet:2", "tweet:3"])


async def test_an_account_that_is_written_is_asked_itself(world: World) -> None:
    """Its words are found and answered with although no text names it and others wrote more."""
    world.openai.write = None
    for number in range(9):
        world.feed.add(f"1{number}", f"Persona {number} pide el metro elevado ya.", username=f"vecino{number}")
    world.feed.add("2", "Los hospitales del sur no tienen médicos.", username="Persona_6")
    await world.eventually(lambda: world.cursor_is("10"))
    await world.indexed()
    data = (await world.call("POST", "/v1/rag/query", {"question": "¿Qué dice @persona_6?"}))["data"]
    assert [citation["author"] for citation in data["citations"]] == ["Persona_6"]
    silent = (await world.call("POST", "/v1/rag/query", {"question": "¿Qué dice @persona_6 del tranvía?"}))["data"]
    assert silent["answer"].startswith("@Persona_6 no escribió de «tranvía» hasta el ")
