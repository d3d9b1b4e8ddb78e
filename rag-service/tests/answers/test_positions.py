"""Answers without a model: positions, shares, quotes, and what nobody spoke of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World

LABELS = {
    "negative": {"positive": 0.1, "neutral": 0.1, "negative": 0.8, "label": "negative", "model": "m@1"},
    "positive": {"positive": 0.8, "neutral": 0.1, "negative": 0.1, "label": "positive", "model": "m@1"},
}
AGAINST = (
    "El metro elevado tapa la luz de los barrios y sube el ruido.",
    "Ese metro elevado llena de ruido los barrios y quita la luz.",
    "Metro elevado: más ruido, menos luz para los barrios.",
)
FOR = (
    "El metro ahorra dos horas de viaje a los trabajadores del sur.",
    "Con el metro los trabajadores del sur ahorran horas de viaje.",
)


async def _ask(world: World, question: str, **body: Any) -> Any:
    return (await world.call("POST", "/v1/rag/query", {"question": question, **body}))["data"]


@pytest.fixture
async def city(world: World) -> World:
    """Three tweets against the metro, one of them repeated twice, two for it, and one about something else."""
    world.openai.down = True
    texts = [*AGAINST, f"RT @u0: {AGAINST[0]}", f"{AGAINST[0]} https://t.co/x", *FOR]
    for number, text in enumerate(texts):
        label = LABELS["negative" if number < 5 else "positive"]
        day = f"2022-05-{number + 1:02}T12:00:00Z"
        world.feed.add(str(number), text, username=f"u{number}", created_at=day, sentiment=label, places=["bogota"])
    world.feed.add("99", "Hoy llueve en la sabana.", username="lluvia", created_at="2022-05-09T12:00:00Z")
    await world.eventually(lambda: world.cursor_is("8"))
    return world


async def test_positions_have_their_share_tone_time_and_words(city: World) -> None:
    """Two positions: five of seven against, in three texts, and two for; each quoted in the words of two authors."""
    data = await _ask(city, "¿Qué dicen del metro?")
    against, supporters = data["positions"]
    assert (against["documents"], against["share"], against["authors"]) == (5, pytest.approx(5 / 7), 5)
    assert against["sentiment"] == {"positive": 0, "neutral": 0, "negative": 5, "unscored": 0}
    assert (against["since"], against["until"]) == ("2022-05-01T12:00:00.000Z", "2022-05-05T12:00:00.000Z")
    assert (supporters["documents"], supporters["sentiment"]["positive"]) == (2, 2)
    assert against["terms"] == ["luz de los barrios", "metro elevado"]
    by_id = {citation["id"]: citation for citation in data["citations"]}
    for position in data["positions"]:
        authors = [by_id[name]["author"] for name in position["citations"]]
        assert len(set(authors)) == len(authors) == 2
    assert by_id["tweet:0"]["same"] == 2
    assert by_id["tweet:0"] | {"start": 0} == by_id["tweet:0"] | {
        "quote": AGAINST[0],
        "start": 0,
        "sentiment": "negative",
        "places": ["bogota"],
        "url": "https://x.com/u0/status/0",
        "published_at": "2022-05-01T12:00:00.000Z",
    }
    assert data["answer"].startswith("7 publicaciones hablan de esto hasta el ")
    assert "1. 71 % (5 publicaciones de 7, 5 autores)" in data["answer"]
    assert "2 más dicen lo mismo" in data["answer"]
    assert "llueve" not in data["answer"]


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("¿Cuál es el precio del bitcoin en Marte?", ["precio", "bitcoin", "Marte"]),
        ("¿Qué dice Petronila del metro?", ["Petronila"]),
        ("¿Qué dicen del teleférico?", ["teleférico"]),
    ],
)
async def test_of_what_nobody_mentions_it_says_so(city: World, question: str, missing: list[str]) -> None:
    """When a subject of the question is nowhere, the answer is that, by name, and quotes nothing."""
    data = await _ask(city, question)
    assert (data["abstained"], data["citations"], data["missing"]) == (True, [], missing)
    assert all(f"«{word}»" in data["answer"] for word in missing)


async def test_only_the_period_that_is_asked_about_counts(city: World) -> None:
    """A date in the question holds for every passage, and a period without any is said to have none."""
    data = await _ask(city, "¿Qué dicen del metro el 6 de mayo de 2022?")
    assert [citation["id"] for citation in data["citations"]] == ["tweet:5"]
    empty = await _ask(city, "¿Qué dijeron del metro en abril de 2022?")
    assert empty["abstained"] is True
    assert "entre el 1 de abril de 2022 y el 30 de abril de 2022" in empty["answer"]
    filtered = await _ask(city, "¿Qué dicen del metro?", filters={"until": "2022-05-02T05:00:00Z"})
    assert [citation["id"] for citation in filtered["citations"]] == ["tweet:0"]


async def test_a_handle_speaks_for_the_name_in_it(city: World) -> None:
    """What an account wrote answers a question about the person whose name its handle begins or ends with."""
    city.feed.add("200", "El metro será subterráneo.", username="petrogustavo", created_at="2022-05-10T12:00:00Z")
    await city.eventually(lambda: city.cursor_is("9"))
    data = await _ask(city, "¿Qué propone Petro sobre el metro?")
    assert [citation["quote"] for citation in data["citations"]] == ["El metro será subterráneo."]


async def test_what_a_speaker_did_not_write_is_not_said_of_everybody(city: World) -> None:
    """Where only what an account wrote is looked at, its silence is told as its own, and what others name is told."""
    for number, author in enumerate(("petrogustavo", "FicoGutierrez")):
        text = f"El tranvía número {number} une los barrios."
        city.feed.add(f"20{number}", text, username=author, created_at="2022-05-10T12:00:00Z")
    city.openai.down = False
    await city.eventually(lambda: city.cursor_is("10"))
    await city.indexed()
    one = await _ask(city, "¿Qué propone Petro sobre el metro?")
    assert (one["abstained"], one["missing"]) == (True, ["metro"])
    assert one["answer"].startswith("@petrogustavo no escribió de «metro» hasta el ")
    assert one["answer"].endswith(" en los documentos guardados. Otras publicaciones sí nombran «metro».")
    two = (await _ask(city, "¿Qué dicen Petro y Fico de la eutanasia?"))["answer"]
    assert two.startswith("Ni @petrogustavo ni @FicoGutierrez escribieron de «eutanasia» hasta el ")
    assert two.endswith(" en los documentos guardados.")


async def test_a_few_authors_are_named_with_what_each_wrote(city: World) -> None:
    """The first line says who they are, the one with most first, where that is known of all."""
    for number, text in enumerate(("El tranvía sale caro.", "Ese tranvía es lento.", "Mi tranvía llegó tarde.")):
        city.feed.add(f"30{number}", text, username="ana" if number else "luz", created_at="2022-05-11T12:00:00Z")
    await city.eventually(lambda: city.cursor_is("11"))
    data = await _ask(city, "¿Qué dicen del tranvía?")
    assert "de 2 autores (@ana, 2; @luz, 1)." in data["answer"]
    assert [position["terms"] for position in data["positions"] if position["documents"] == 1] == [[], [], []]


async def test_two_who_are_asked_to_speak_are_both_heard(city: World) -> None:
    """A question to two accounts is answered by what they wrote, and not by those who write about them."""
    said = {
        "petrogustavo": "El tranvía une los barrios del sur.",
        "FicoGutierrez": "Un tranvía cuesta más que los buses.",
        "vecina": "Petro y Fico pelean por el tranvía.",
    }
    for number, (author, text) in enumerate(said.items()):
        city.feed.add(f"40{number}", text, username=author, created_at="2022-05-11T12:00:00Z")
    await city.eventually(lambda: city.cursor_is("11"))
    data = await _ask(city, "¿Qué dicen Petro y Fico del tranvía?")
    assert {citation["author"] for citation in data["citations"]} == {"petrogustavo", "FicoGutierrez"}


async def test_a_short_sentence_is_quoted_with_the_next(city: World) -> None:
    """What says little alone is told with the sentence after it on its line, and never with another line."""
    text = "No al tranvía. Cuesta el doble de lo que dijeron.\nMañana hablo."
    city.feed.add("500", text, username="ana", created_at="2022-05-11T12:00:00Z")
    city.feed.add("501", "Sí al tranvía.\nMañana hablo.", username="luz", created_at="2022-05-11T12:00:00Z")
    await city.eventually(lambda: city.cursor_is("10"))
    data = await _ask(city, "¿Qué dicen del tranvía?")
    quotes = {citation["author"]: citation["quote"] for citation in data["citations"]}
    assert quotes == {"ana": "No al tranvía. Cuesta el doble de lo que dijeron.", "luz": "Sí al tranvía."}


async def test_sentences_are_compared_by_meaning(world: World) -> None:
    """Those that may be quoted are embedded like documents; where that fails, their words decide, and nothing is said
    to be missing."""
    said = "Hacen falta hospitales nuevos en el sur."
    for number, author in enumerate(("ana", "luz", "eva")):
        # Longer than what is quoted whole.
        walk = "Caminé por las calles del centro y saludé a quienes abrían sus puestos de fruta. " * 4
        world.feed.add(str(number), f"Llegué temprano al barrio {number}. {walk}{said}", username=author)
    await world.eventually(lambda: world.cursor_is("3"))
    await world.indexed()
    whole = await world.call("POST", "/v1/rag/query", {"question": "¿Qué dicen de los hospitales?"})
    assert (said, "passage") in world.openai.roles
    world.openai.refuses = "falta hospitales"
    without = await world.call("POST", "/v1/rag/query", {"question": "¿Qué dicen de los hospitales?"})
    for answer in (whole, without):
        assert answer["meta"]["degraded"] == ["llm"]
        assert {citation["quote"] for citation in answer["data"]["citations"]} == {said}


async def test_proposals_are_told_where_they_are_asked_for(city: World) -> None:
    """What proposes nothing is left out and counted; where nothing does, the first line says so."""
    said = ("Construiremos el tranvía.", "Vamos a pagar el tranvía.", "Hay que ampliar el tranvía.", "El tranvía pita.")
    for number, text in enumerate(said):
        city.feed.add(f"60{number}", text, username=f"v{number}", created_at="2022-05-11T12:00:00Z")
    await city.eventually(lambda: city.cursor_is("12"))
    asked = await _ask(city, "¿Qué proponen para el tranvía?")
    assert {citation["quote"] for citation in asked["citations"]} == set(said[:3])
    assert asked["answer"].startswith("3 publicaciones con propuestas hablan de esto hasta el ")
    assert "1 más trata el tema sin propuestas." in asked["answer"]
    assert {citation["quote"] for citation in (await _ask(city, "¿Qué dicen del tranvía?"))["citations"]} == set(said)
    few = await _ask(city, "¿Qué proponen para el metro?")
    assert "Ninguna contiene propuestas: es lo que más se acerca a la pregunta." in few["answer"]
    none = await _ask(city, "¿Cuántos hablan del tranvía?")
    assert "Ninguna contiene cifras: es lo que más se acerca a la pregunta." in none["answer"]


async def test_each_part_of_a_question_is_counted(city: World) -> None:
    """The first line says how many name what "y" joins, and does not sound as if all spoke of both."""
    said = ("El tranvía sale caro.", "El teleférico es lento.", "Tranvía y teleférico pitan.")
    for number, text in enumerate(said):
        city.feed.add(f"70{number}", text, username=f"v{number}", created_at="2022-05-11T12:00:00Z")
    await city.eventually(lambda: city.cursor_is("11"))
    data = await _ask(city, "¿Qué dicen del tranvía y el teleférico?")
    assert "De ellas nombran «tranvía» 2, «teleférico» 2 y ambas cosas 1." in data["answer"]
    assert {citation["quote"] for citation in data["citations"]} == set(said)


async def test_in_a_comparison_the_words_of_others_do_not_count(world: World) -> None:
    """That six others repeat what one of two wrote makes his position no larger."""
    world.openai.down = True
    said = "El metro elevado tapa la luz de los barrios."
    authors = [("petrogustavo", said), ("ficogutierrez", "El metro ahorra horas de viaje a los trabajadores.")]
    for number, (author, text) in enumerate([*authors, *((f"u{n}", f"RT @petrogustavo: {said}") for n in range(6))]):
        world.feed.add(str(number), text, username=author)
    await world.eventually(lambda: world.cursor_is("8"))
    data = await _ask(world, "¿Qué dicen Petro y Fico del metro?")
    assert [position["documents"] for position in data["positions"]] == [1, 1]
    assert [cited["same"] for cited in data["citations"]] == [0, 0]


async def test_a_search_of_what_a_speaker_wrote_that_was_made_without_vectors_is_told(city: World) -> None:
    """Of two searches one had no vector: the answer says that embeddings were missing."""
    city.openai.down = False
    city.feed.add("98", "El metro tiene que ser subterráneo.", username="petrogustavo")
    await city.eventually(lambda: city.cursor_is("9"))
    await city.indexed()
    city.openai.refuses = "dice del metro"
    question = "¿Qué dice Petro del metro?"
    for path, body in (("query", {"question": question}), ("search", {"query": question})):
        answer = await city.call("POST", f"/v1/rag/{path}", body)
        assert "embeddings" in answer["meta"]["degraded"]
    other = await city.call("POST", "/v1/rag/search", {"query": "¿Qué se opina del metro?"})
    assert not (other["meta"] or {}).get("degraded")
