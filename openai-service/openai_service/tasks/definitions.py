"""Each task as a job: which prompt, which parameters, what must hold beyond the shape, and what stands in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from openai_service.extractive.passages import Document
from openai_service.extractive.ranker import Encoder
from openai_service.prompts import PromptFile
from openai_service.tasks import extractive_fallback as stand_in
from openai_service.tasks.runner import REPAIR, Job, Material
from openai_service.tasks.schemas import (
    Advice,
    AdviceRequest,
    AnswerRequest,
    Plan,
    PlanRequest,
    SourcedAnswer,
    Speech,
    SpeechRequest,
    Summary,
    SummaryRequest,
    TaskRequest,
    Topics,
    TopicsRequest,
)
from openai_service.tasks.topics import AXES, Axis

NAMES = (
    "summaries.executive",
    "summaries.media",
    "summaries.neutral",
    "topics",
    "plans",
    "speeches",
    "advice",
    "answers",
    REPAIR,
)
WORDS_PER_MINUTE = 130
_LEAST_OF_SPEECH = 0.4
Encode = Callable[[], Encoder | None]


class Jobs:
    """Makes jobs from requests and the documents that may be shown."""

    def __init__(self, prompts: Mapping[str, PromptFile], encoder: Encode) -> None:
        self._prompts = prompts
        self._encoder = encoder

    def summary(self, request: SummaryRequest, given: Material) -> Job[Summary]:
        """Sum the documents up."""
        return Job(
            prompt=self._prompts[f"summaries.{request.kind}"],
            parameters=_about(request),
            material=given,
            writes=Summary,
            without_model=lambda: stand_in.summary(given.documents, self._encoder()),
            verify=lambda written: _summary_keeps_to_its_kind(written, request.kind),
        )

    def plan(self, request: PlanRequest, given: Material) -> Job[Plan]:
        """Plan what the documents call for."""
        return Job(
            prompt=self._prompts["plans"],
            parameters={**_about(request), "metas": request.goals},
            material=given,
            writes=Plan,
            without_model=lambda: stand_in.plan(given.documents, self._encoder()),
            verify=lambda plan: [*_needs(plan.objectives, "objectives"), *_needs(plan.actions, "actions")],
        )

    def speech(self, request: SpeechRequest, given: Material) -> Job[Speech]:
        """Write a speech of the wanted length."""
        wanted = request.minutes * WORDS_PER_MINUTE
        return Job(
            prompt=self._prompts["speeches"],
            parameters={**_about(request), "palabras": wanted, "tono": request.tone},
            material=given,
            writes=Speech,
            without_model=lambda: stand_in.speech(given.documents, self._encoder()),
            verify=lambda speech: [*_needs(speech.key_points, "key_points"), *_long_enough(speech, wanted)],
        )

    def advice(self, request: AdviceRequest, given: Material) -> Job[Advice]:
        """Advise, with drafts that a person must approve."""
        profile = request.profile.model_dump(exclude_none=True) if request.profile else {}
        parameters = {
            **_about(request),
            "perfil": profile,
            "metas": request.goals,
            "limites": request.constraints,
            "borradores": request.max_drafts,
        }
        return Job(
            prompt=self._prompts["advice"],
            parameters=parameters,
            material=given,
            writes=Advice,
            without_model=lambda: stand_in.advice(given.documents, self._encoder()),
            verify=lambda advice: _drafts(advice, request.max_drafts),
        )

    def answer(self, request: AnswerRequest, given: Material) -> Job[SourcedAnswer]:
        """Answer a question from the documents."""
        return Job(
            prompt=self._prompts["answers"],
            parameters={"pregunta": request.question},
            material=given,
            writes=SourcedAnswer,
            without_model=lambda: stand_in.answer(request.question, given.documents, self._encoder()),
            verify=_answer_rests,
        )

    def topics(self, request: TopicsRequest, given: Material) -> Job[Topics]:
        """Classify the documents."""
        labels = labels_of(request)
        return Job(
            prompt=self._prompts["topics"],
            parameters={"temas": {label.slug: label.name for label in labels}},
            material=given,
            writes=Topics,
            without_model=lambda: stand_in.topics(given.documents, labels, self._encoder()),
            verify=lambda topics: _complete(topics, given.documents, {label.slug for label in labels}),
        )

    def topics_without_model(self, request: TopicsRequest, documents: Sequence[Document]) -> Topics:
        """Classify by words, for what no model may see."""
        return stand_in.topics(documents, labels_of(request), self._encoder())


def labels_of(request: TopicsRequest) -> Sequence[Axis]:
    """Return the permitted topics, each once."""
    if request.labels is None:
        return AXES
    return [Axis(name, name, ()) for name in dict.fromkeys(request.labels)]


def _about(request: TaskRequest) -> dict[str, Any]:
    said = {"lugar": request.location, "candidato": request.candidate}
    return {name: value for name, value in said.items() if value}


def _needs(items: Sequence[object], name: str) -> Iterator[str]:
    if not items:
        yield f"{name}: hace falta al menos uno"


def _summary_keeps_to_its_kind(summary: Summary, kind: str) -> Iterator[str]:
    yield from _needs(summary.findings, "findings")
    if summary.recommendations and kind != "executive":
        yield "recommendations: debe ir vacía, este resumen no aconseja"


def _long_enough(speech: Speech, wanted: int) -> Iterator[str]:
    words = len(speech.content.split())
    if words < _LEAST_OF_SPEECH * wanted:
        yield f"content: tiene {words} palabras y se pidieron cerca de {wanted}"


def _drafts(advice: Advice, most: int) -> Iterator[str]:
    yield from _needs(advice.drafts, "drafts")
    if len(advice.drafts) > most:
        yield f"drafts: son {len(advice.drafts)} y se pidieron como mucho {most}"


def _answer_rests(answer: SourcedAnswer) -> Iterable[str]:
    if answer.answered and not answer.evidence:
        yield "evidence: una respuesta necesita al menos una prueba"


def _complete(topics: Topics, documents: Sequence[Document], labels: set[str]) -> Iterator[str]:
    if [item.document_id for item in topics.items] != [document.id for document in documents]:
        yield "items: debe haber exactamente uno por documento, en el mismo orden"
    for item in topics.items:
        if item.label not in labels or item.secondary not in (*labels, None):
            yield f"items: «{item.label[:40]}», «{(item.secondary or '')[:40]}»: solo valen los temas de los parámetros"
            return
