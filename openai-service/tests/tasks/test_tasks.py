"""The tasks: typed answers from a model, checked and repaired once; quotes where no model is."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from fake_openai import FakeOpenAI, Fault
from openai_support import KEY, Run

from castor_chassis.testing import RunningService
from openai_service.prompts import load
from openai_service.tasks.definitions import NAMES
from openai_service.tasks.extractive_fallback import NOT_ANSWERED
from openai_service.tasks.topics import AXES

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def online(run: Run, fake: FakeOpenAI) -> AsyncIterator[RunningService]:
    """A service with the fake upstream, patient enough for a busy machine."""
    async with run(openai_base_url=fake.url, openai_api_key=KEY, breaker_fail_max=1_000_000) as service:
        yield service


POSTS = [
    {"id": "1", "text": "Faltan medicamentos en los hospitales de Cali y la EPS no responde a los pacientes."},
    {"id": "2", "text": "El alcalde anunció más policías contra el robo de celulares en los buses de Cali."},
    {"id": "3", "text": "Los maestros marcharon ayer porque los colegios públicos no tienen agua ni pupitres."},
    {"id": "4", "text": "Subió otra vez el precio de la gasolina, y con él los pasajes y los alimentos."},
]
QUOTE = {"document_id": "1", "quote": "Faltan medicamentos en los hospitales de Cali"}
FINDING = {"text": "Faltan medicamentos en los hospitales y la EPS no responde.", "evidence": [QUOTE]}
SUMMARY = {
    "overview": "En Cali preocupan los hospitales sin medicamentos, el robo en los buses y el precio de la gasolina.",
    "findings": [FINDING],
    "recommendations": [],
}
SPEECH = " ".join(["Hospitales con medicamentos, buses sin robo y colegios con agua para Cali y los maestros."] * 30)
GOOD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "summaries": ({"kind": "executive"}, SUMMARY),
    "topics": (
        {},
        {
            "items": [
                {"document_id": n, "label": label, "secondary": None, "confidence": 0.9}
                for n, label in zip("1234", ("salud", "seguridad", "educacion", "economia"), strict=True)
            ]
        },
    ),
    "plans": (
        {"location": "Cali", "goals": ["llegar a los pacientes"]},
        {
            "objectives": [FINDING],
            "actions": [{"action": "Auditar la entrega de medicamentos", "priority": "high", "topic": "salud"}],
            "timeline": "3 a 6 meses",
            "expected_impact": "Menos filas y menos quejas por medicamentos.",
        },
    ),
    "speeches": ({"minutes": 3}, {"title": "Cali primero", "content": SPEECH, "key_points": [FINDING]}),
    "advice": (
        {"profile": {"name": "Ana", "red_lines": ["no atacar a personas"]}, "max_drafts": 1},
        {
            "guidance": "Responder a los pacientes de la EPS con datos de los hospitales de Cali.",
            "drafts": [
                {
                    "kind": "post",
                    "intent": "Mostrar que se escucha a los pacientes",
                    "draft": "Los hospitales de Cali necesitan medicamentos ya. Los pacientes no pueden esperar.",
                    "rationale": "Es la queja más repetida.",
                    "risk_level": "low",
                    "best_time": "en la mañana",
                    "evidence": [QUOTE],
                }
            ],
        },
    ),
    "answers": (
        {"question": "¿Qué falta en los hospitales?"},
        {"answer": "En los hospitales de Cali faltan medicamentos.", "evidence": [QUOTE], "answered": True},
    ),
}


async def ask(service: RunningService, task: str, **changes: Any) -> Any:
    """Post a task on the four posts; returns the HTTP answer."""
    return await service.client.post(f"/v1/openai/{task}", json={"documents": POSTS, **GOOD[task][0], **changes})


def says(answer: Any, **more: Any) -> dict[str, Any]:
    """Return a message that holds ``answer`` as JSON."""
    return {"content": answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False), **more}


def topics_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return a message that names a topic for each document of a request, as a model would."""
    ids = re.findall(r'<document id="([^"]+)"', body["messages"][1]["content"])
    return says({"items": [{"document_id": n, "label": "salud", "secondary": None, "confidence": 0.9} for n in ids]})


async def test_topics_of_many_documents_fit_the_answers(online: RunningService, upstream: FakeOpenAI) -> None:
    """Two hundred documents take four calls, each with room for its items, and come back in the caller's order."""

    def answer(body: dict[str, Any]) -> web.Response | None:
        upstream.replies[:] = [topics_of(body)]
        return None

    upstream.refuses = answer
    posts = [
        {"id": str(1_800_000_000_000_000_000 + n), "text": f"Faltan medicamentos en el hospital {n}."}
        for n in range(200)
    ]
    reply = await ask(online, "topics", documents=posts)
    assert reply.status_code == 200, reply.text
    assert [item["document_id"] for item in reply.json()["data"]["items"]] == [post["id"] for post in posts]
    assert len(upstream.bodies) == 4
    for body in upstream.bodies:
        assert len(topics_of(body)["content"]) / 3 < body["max_tokens"] < 4000


async def test_a_failed_part_fails_the_whole(online: RunningService, upstream: FakeOpenAI) -> None:
    """Topics of some of the documents are no answer; the caller is told once what was wrong."""
    upstream.refuses = lambda _body: upstream.replies.clear()
    posts = [{"id": str(n), "text": f"Faltan medicamentos en el hospital {n}."} for n in range(60)]
    reply = await ask(online, "topics", documents=posts)
    assert (reply.status_code, reply.json()["code"]) == (422, "output_refused")


async def test_an_answer_that_was_cut_is_not_repaired(online: RunningService, upstream: FakeOpenAI) -> None:
    """A second call would have no more room: it is not paid, and the caller learns the limit."""
    upstream.replies = [says('{"items": [{"document_id": "1", ', finish_reason="length")]
    reply = await ask(online, "topics")
    assert (reply.status_code, reply.json()["code"]) == (422, "output_refused")
    assert f"a los {upstream.bodies[0]['max_tokens']} tokens" in reply.json()["details"]["problems"][0]
    assert len(upstream.bodies) == 1


@pytest.mark.parametrize("minutes", [3, 10])
async def test_a_speech_has_the_room_that_its_length_needs(
    online: RunningService, upstream: FakeOpenAI, minutes: int
) -> None:
    """Ten minutes are 1,300 words, at up to two tokens each, and the key points come on top."""
    upstream.replies = [says(GOOD["speeches"][1])] * 2
    await ask(online, "speeches", minutes=minutes)
    assert upstream.bodies[0]["max_tokens"] >= 2 * 130 * minutes + 1000


@pytest.mark.parametrize("task", GOOD)
async def test_a_models_answer_is_typed(online: RunningService, upstream: FakeOpenAI, task: str) -> None:
    """Each task sends its own prompt, a strict schema and the posts, and answers what the model wrote."""
    upstream.replies = [says(GOOD[task][1])]
    reply = await ask(online, task)
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert {name: body["data"][name] for name in GOOD[task][1]} == GOOD[task][1]
    assert body["meta"]["model"] == "gpt-4o-mini"
    assert body["meta"]["repaired"] is False
    assert not body["meta"].get("degraded")
    name = body["meta"]["prompt"].partition("@")[0]
    [sent] = upstream.bodies
    assert sent["messages"][0]["content"] == load(NAMES)[name].text
    schema = sent["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["additionalProperties"] is False
    assert sorted(schema["schema"]["required"]) == sorted(GOOD[task][1])


@pytest.mark.parametrize("task", ["plans", "speeches", "advice"])
async def test_drafts_need_approval_whatever_the_model_says(
    online: RunningService, upstream: FakeOpenAI, task: str
) -> None:
    """A model that writes the field 'approval_required' itself is refused, because it is unknown."""
    upstream.replies = [says({**GOOD[task][1], "approval_required": False}), says(GOOD[task][1])]
    body = (await ask(online, task)).json()
    assert body["data"]["approval_required"] is True
    assert body["meta"]["repaired"] is True


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "not JSON": ("summaries", says("Claro, aquí está el resumen"), "JSON"),
    "field missing": ("summaries", says({"overview": "x"}), "findings"),
    "field added": ("summaries", says({**SUMMARY, "note": "x"}), "note"),
    "no finding": ("summaries", says({**SUMMARY, "findings": []}), "findings: hace falta"),
    "invented quote": (
        "answers",
        says({**GOOD["answers"][1], "evidence": [{"document_id": "1", "quote": "Sobran medicamentos"}]}),
        "palabra por palabra",
    ),
    "quote of another document": (
        "answers",
        says({**GOOD["answers"][1], "evidence": [{**QUOTE, "document_id": "2"}]}),
        "palabra por palabra",
    ),
    "unknown document": (
        "answers",
        says({**GOOD["answers"][1], "evidence": [{**QUOTE, "document_id": "77"}]}),
        "no hay un documento",
    ),
    "answer without evidence": ("answers", says({**GOOD["answers"][1], "evidence": []}), "al menos una prueba"),
    "link": ("summaries", says({**SUMMARY, "recommendations": ["Lea más en www.ejemplo.co"]}), "enlace"),
    "other subject": ("summaries", says({**SUMMARY, "overview": "El fútbol italiano despierta pasiones"}), "no habla"),
    "unknown label": ("topics", says({"items": [{**GOOD["topics"][1]["items"][0], "label": "fútbol"}]}), "temas"),
    "a document left out": ("topics", says({"items": GOOD["topics"][1]["items"][:3]}), "uno por documento"),
    "too many drafts": (
        "advice",
        says({**GOOD["advice"][1], "drafts": GOOD["advice"][1]["drafts"] * 2}),
        "como mucho 1",
    ),
    "short speech": ("speeches", says({**GOOD["speeches"][1], "content": SPEECH[:300]}), "palabras"),
    "unknown risk": (
        "advice",
        says({**GOOD["advice"][1], "drafts": [{**GOOD["advice"][1]["drafts"][0], "risk_level": "none"}]}),
        "risk_level",
    ),
    "tool call": ("answers", says("", tool_calls=[{"id": "1", "type": "function", "function": {}}]), "herramientas"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_one_repair_then_422(online: RunningService, upstream: FakeOpenAI, case: str) -> None:
    """What fails a check is asked for once more, naming the problem; what fails twice is 422 and says why."""
    task, wrong, named = WRONG[case]
    upstream.replies = [wrong, says(GOOD[task][1]), wrong, wrong]
    repaired = await ask(online, task)
    assert repaired.status_code == 200, repaired.text
    assert repaired.json()["meta"]["repaired"] is True
    assert named in upstream.bodies[1]["messages"][-1]["content"]
    refused = await ask(online, task, documents=[*POSTS[:3], {"id": "4", "text": POSTS[3]["text"] + " Qué alza."}])
    assert refused.status_code == 422
    assert refused.json()["code"] == "output_refused"
    assert any(named in problem for problem in refused.json()["details"]["problems"])
    assert len(upstream.bodies) == 4


async def test_a_wrapped_answer_is_read(online: RunningService, upstream: FakeOpenAI) -> None:
    """JSON inside a Markdown block counts as JSON."""
    upstream.replies = [says(f"```json\n{json.dumps(SUMMARY)}\n```")]
    assert (await ask(online, "summaries", location="Yumbo")).json()["data"] == SUMMARY


@pytest.mark.parametrize("task", GOOD)
async def test_without_a_model_every_word_is_quoted(offline: RunningService, task: str) -> None:
    """No upstream: the task answers 200, degraded, and all evidence stands verbatim in the documents."""
    body = (await ask(offline, task)).json()
    assert body["meta"]["degraded"] == ["llm"]
    assert body["meta"]["model"] == "extractive"
    texts = {post["id"]: post["text"] for post in POSTS}
    found = list(_evidence(body["data"]))
    assert all(item["quote"] in texts[item["document_id"]] for item in found)
    assert found or task in ("topics", "advice")


def _evidence(value: Any) -> Any:
    if isinstance(value, dict):
        if "quote" in value:
            yield value
        for child in value.values():
            yield from _evidence(child)
    elif isinstance(value, list):
        for child in value:
            yield from _evidence(child)


async def test_topics_without_a_model(offline: RunningService) -> None:
    """By words alone the four posts land on their axes, each document once and in order."""
    items = (await ask(offline, "topics")).json()["data"]["items"]
    assert [item["document_id"] for item in items] == ["1", "2", "3", "4"]
    assert [item["label"] for item in items] == ["salud", "seguridad", "educacion", "economia"]


async def test_given_labels_are_the_only_ones(offline: RunningService) -> None:
    """A caller's labels replace the axes."""
    items = (await ask(offline, "topics", labels=["hospitales", "buses"])).json()["data"]["items"]
    assert [item["label"] for item in items[:2]] == ["hospitales", "buses"]
    assert {item["label"] for item in items} <= {"hospitales", "buses"}


async def test_an_unanswered_question_is_said_to_be(offline: RunningService) -> None:
    """Documents that do not answer give no quotes instead of the nearest ones."""
    data = (await ask(offline, "answers", question="¿Cuándo llega el cometa Halley?")).json()["data"]
    assert data == {"answer": NOT_ANSWERED, "evidence": [], "answered": False}


async def test_a_failing_upstream_degrades(online: RunningService, upstream: FakeOpenAI) -> None:
    """An upstream that fails leaves the quotes, and says so."""
    upstream.script = [Fault(status=500)] * 2
    body = (await ask(online, "summaries", location="Jamundí")).json()
    assert body["meta"]["degraded"] == ["llm"]


async def test_degraded_tasks_can_be_forbidden(run: Run) -> None:
    """With ALLOW_DEGRADED off a task without a model is an error, not a quote."""
    async with run(allow_degraded=False) as service:
        reply = await ask(service, "plans")
    assert reply.status_code in (409, 503)


async def test_what_does_not_fit_is_named(online: RunningService, upstream: FakeOpenAI) -> None:
    """Beyond 60,000 characters the later documents are left out of the prompt and listed; a repeated id is one text."""
    many = [{"id": str(n), "text": f"Hospital {n}. " + "Faltan medicamentos en Cali. " * 130} for n in range(20)]
    upstream.replies = [
        says({**SUMMARY, "findings": [{**FINDING, "evidence": [{"document_id": "0", "quote": "Hospital 0."}]}]})
    ]
    body = (await ask(online, "summaries", documents=[*many, {"id": "0", "text": "Segunda parte"}])).json()
    left = body["meta"]["left_out"]
    assert left == [str(n) for n in range(20 - len(left), 20)]
    sent = upstream.bodies[0]["messages"][1]["content"]
    assert sent.count("<document id=") == 20 - len(left)
    assert sent.count('<document id="0">') == 1
    assert "Segunda parte" in sent


async def test_every_axis_is_found_by_its_name(offline: RunningService) -> None:
    """A text with the name of an axis is classified under it."""
    documents = [{"id": axis.slug, "text": f"Hablemos de {axis.name}."} for axis in AXES]
    items = (await ask(offline, "topics", documents=documents)).json()["data"]["items"]
    assert [item["label"] for item in items] == [axis.slug for axis in AXES]
