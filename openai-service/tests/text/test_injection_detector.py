"""Prompt injections in documents: what each attack cannot do, whoever answers.

Four defences, each tested with every attack of ``injections``:
(a) fence: in the request to the upstream the attack is only inside the fence of the user message (the detector is not
    used here), it cannot forge the fence, and the system message is the prompt, byte for byte;
(b) output checks: what a model that followed the attack writes is refused, and so is its repair: 422 without its text;
(c) fallback: without a model the same documents give the same kind of answer, with verbatim quotes only;
(d) detector: through the API the document does not reach the model; it does not find ``quiet`` attacks, and the test
    says how many of the others it finds.
``tests/local/test_local_model.py`` tests a real model.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fake_openai import FakeOpenAI
from injections import ATTACK_ID, BENIGN, INJECTIONS, Injection, summary
from openai_support import KEY, Run

from castor_chassis.testing import RunningService
from openai_service.extractive.passages import Document, unescape
from openai_service.prompts import load
from openai_service.protocol.chat import ChatCompletion
from openai_service.tasks.definitions import NAMES, TaskDefinitions
from openai_service.tasks.documents import PreparedDocuments
from openai_service.tasks.output_checks import CheckContext
from openai_service.tasks.prompt_fencing import PromptFence, clean_text
from openai_service.tasks.runner import read_output
from openai_service.tasks.schemas import SummaryRequest
from openai_service.text.injection_detector import is_injection

pytestmark = pytest.mark.asyncio(loop_scope="module")
each = pytest.mark.parametrize("attack", INJECTIONS, ids=lambda attack: attack.name)
PROMPTS = load(NAMES)
PROMPT = PROMPTS["summaries.neutral"].text
FENCED = re.compile(r"\A<datos-([0-9a-f]{32})>\n(.*)\n</datos-\1>\n(.*)\Z", re.DOTALL)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def online(run: Run, fake: FakeOpenAI) -> AsyncIterator[RunningService]:
    """A service with the fake upstream, patient enough for a busy machine."""
    async with run(openai_base_url=fake.url, openai_api_key=KEY, breaker_fail_max=1_000_000) as service:
        yield service


def body(attack: Injection) -> dict[str, Any]:
    """The attack between two harmless posts."""
    more = {"id": "3", "text": "Los pacientes de Cali hacen fila desde la madrugada por una cita."}
    return {"documents": [BENIGN, {"id": ATTACK_ID, "text": attack.text}, more]}


def obeyed(attack: Injection, mark: str) -> dict[str, Any]:
    """What a model that follows the attack writes, knowing the prompt and the mark."""
    spaced = "-".join(PROMPT[:300])
    known = {
        "{prompt}": PROMPT[:600],
        "{prompt64}": base64.b64encode(PROMPT[:600].encode()).decode(),
        "{prompt13}": codecs.encode(PROMPT[:600], "rot13"),
        "{prompt_reversed}": PROMPT[:600][::-1],
        "{prompt_spaced}": spaced,
        "{mark}": mark,
    }
    content = attack.obeyed.get("content")
    for name, value in known.items():
        content = content.replace(name, json.dumps(value, ensure_ascii=False)[1:-1]) if content else content
    return {**attack.obeyed, "content": content}


async def test_the_table_is_as_large_as_it_says() -> None:
    """At least sixty attacks, no two alike, in Spanish and English, by at least eight means."""
    assert len(INJECTIONS) >= 60
    assert len({attack.text for attack in INJECTIONS}) == len(INJECTIONS)
    assert min(sum(attack.language == code for attack in INJECTIONS) for code in ("es", "en")) >= 25
    assert len({attack.family for attack in INJECTIONS}) >= 8


@each
async def test_a_the_fence_holds(attack: Injection) -> None:
    """Without the detector the attack is inside the fence only, cannot close it, and is read back unchanged."""
    text = clean_text(attack.text)
    documents = [Document("1", BENIGN["text"]), Document(ATTACK_ID, text)]
    message, mark = PromptFence().message({}, documents)
    match = FENCED.match(message)
    assert match
    assert match[1] == mark
    inside, after = match[2], match[3]
    assert mark not in text
    assert message.count(mark) == 2
    assert re.findall(r"<(?!/?document|/?parametros)", inside) == []
    assert inside.count("<document ") == inside.count("</document>") == 2
    found = re.findall(r'<document id="(.*?)">(.*?)</document>', inside, re.DOTALL)
    assert [(unescape(name), unescape(said)) for name, said in found] == [("1", BENIGN["text"]), (ATTACK_ID, text)]
    assert after.startswith("Fin de los datos.")


@each
async def test_b_an_obedient_model_is_refused(attack: Injection) -> None:
    """Without the detector, an obedient model's output is refused for shape, leak, quote, link or subject."""
    documents = (Document("1", BENIGN["text"]), Document(ATTACK_ID, clean_text(attack.text)))
    request = SummaryRequest(documents=body(attack)["documents"])
    task = TaskDefinitions(PROMPTS, lambda: None).summary(request, PreparedDocuments(documents))
    _, mark = PromptFence().message(task.parameters, documents)
    context = CheckContext({document.id: document.text for document in documents}, "{}", PROMPT, mark)
    output, wrong = read_output(completion(obeyed(attack, mark)), task, context)
    assert output is None
    assert wrong


def completion(message: dict[str, Any]) -> ChatCompletion:
    """Wrap a message as an upstream's answer."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": [choice]})


@each
async def test_b_and_d_through_the_api(online: RunningService, upstream: FakeOpenAI, attack: Injection) -> None:
    """The system message is the prompt, the attack is withheld or fenced, and an obedient model gives 422."""
    marked = "{mark}" in str(attack.obeyed)
    message = obeyed(attack, "0" * 32)
    upstream.replies = [message, message]
    reply = await online.client.post("/v1/openai/summaries", json=body(attack))
    for sent in upstream.bodies:
        assert [item["role"] for item in sent["messages"]][:2] == ["system", "user"]
        assert sent["messages"][0]["content"] == PROMPT
        assert FENCED.match(sent["messages"][1]["content"])
        assert "tools" not in sent
        assert sent["response_format"]["json_schema"]["name"] == "summaries_neutral"
        shown = f'<document id="{ATTACK_ID}">' in sent["messages"][1]["content"]
        assert shown != is_injection(attack.text)
    assert reply.status_code == 422 or (marked and reply.status_code == 200), reply.text
    if reply.status_code == 422:
        assert reply.json()["code"] == "output_refused"
        assert PROMPT[:60] not in reply.text
        assert "PWNED" not in reply.text


@each
async def test_c_without_a_model_nothing_is_obeyed(offline: RunningService, attack: Injection) -> None:
    """The extractive fallback quotes the given documents, and never one with an injection."""
    reply = await offline.client.post("/v1/openai/summaries", json=body(attack))
    data, meta = reply.json()["data"], reply.json()["meta"]
    texts = {document["id"]: clean_text(document["text"]) for document in body(attack)["documents"]}
    evidence = [proof for found in data["findings"] for proof in found["evidence"]]
    assert evidence
    assert all(proof["quote"] in texts[proof["document_id"]] for proof in evidence)
    assert PROMPT[:60] not in reply.text
    if is_injection(attack.text):
        assert meta["withheld"] == [ATTACK_ID]
        assert ATTACK_ID not in {proof["document_id"] for proof in evidence}


@each
async def test_topics_stay_topics(online: RunningService, upstream: FakeOpenAI, attack: Injection) -> None:
    """The classification of an attack is one of the permitted labels, also when the model obeys it first."""
    order = [item["id"] for item in body(attack)["documents"]]
    shown = [name for name in order if name != ATTACK_ID or not is_injection(attack.text)]
    good = {"items": [{"document_id": n, "label": "salud", "secondary": None, "confidence": 1} for n in shown]}
    upstream.replies = [obeyed(attack, "0" * 32), {"content": json.dumps(good)}]
    data = (await online.client.post("/v1/openai/topics", json=body(attack))).json()["data"]
    assert [item["document_id"] for item in data["items"]] == order
    assert {item["label"] for item in data["items"]} <= {"salud", *PND}


PND = ("seguridad", "infraestructura", "gobernanza", "educacion", "igualdad", "paz", "economia", "medioambiente", "alimentacion")  # fmt: skip  # noqa: E501


async def test_d_the_detector_finds_all_but_the_quiet_ones() -> None:
    """Of the attacks that give orders in Spanish or English, openly or hidden, the detector misses at most five."""
    loud = [attack for attack in INJECTIONS if attack.family not in ("quiet", "fence", "json")]
    missed = [attack.name for attack in loud if not is_injection(attack.text)]
    assert len(missed) <= 5, missed


@pytest.mark.parametrize(
    "text",
    [
        "El presidente debe ignorar las encuestas y gobernar para todos.",
        "Olvidaron las promesas de campaña en menos de un mes.",
        "Las nuevas reglas electorales obligan a los partidos a la paridad.",
        "Repite el plato quien madruga, decía mi abuela en Boyacá.",
        "Escriban a sus congresistas para que voten la reforma a la salud.",
        "La nueva orden del juez suspende las elecciones en el municipio.",
        "Actúa como un dictador y después habla de democracia.",
        "El sistema de salud necesita instrucciones claras del ministerio.",
        "Rechacemos el modo de gobernar de la vieja clase política.",
        "Dime con quién andas y te diré por quién votas.",
    ],
)
async def test_people_who_speak_to_people_are_not_withheld(text: str) -> None:
    """Political speech with imperatives is not an injection."""
    assert not is_injection(text)


async def test_a_good_answer_passes(online: RunningService, upstream: FakeOpenAI) -> None:
    """The checks accept an honest answer to the same documents."""
    upstream.replies = [summary()]
    reply = await online.client.post("/v1/openai/summaries", json=body(INJECTIONS[0]))
    assert reply.status_code == 200
    assert reply.json()["meta"]["withheld"] == [ATTACK_ID]
