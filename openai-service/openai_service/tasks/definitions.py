"""The definition of each task: its prompt, its parameters, its checks beyond the schema, and its fallback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from openai_service.extractive.passages import Document
from openai_service.extractive.ranker import Encoder
from openai_service.prompts import PromptFile
from openai_service.tasks import extractive_fallback
from openai_service.tasks.documents import PreparedDocuments
from openai_service.tasks.runner import REPAIR, Task
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
_MIN_SPEECH_SHARE = 0.4
_TOKENS_PER_WORD = 2
"""Spanish has about 1.4."""
_TOKENS_BESIDE_SPEECH = 1500
"""Title, key points and their quotes."""
_TOKENS_BESIDE_TOPICS = 200
_BYTES_AROUND_TOPIC = 80
"""The names of an item's fields, its marks and its number."""
_BYTES_PER_TOKEN = 2
"""JSON has about three."""
RankingEncoder = Callable[[], Encoder | None]
"""Returns the encoder that ranks sentences, if it is loaded."""


class TaskDefinitions:
    """Makes tasks from requests and their prepared documents."""

    def __init__(self, prompts: Mapping[str, PromptFile], encoder: RankingEncoder) -> None:
        self._prompts = prompts
        self._encoder = encoder

    def summary(self, request: SummaryRequest, documents: PreparedDocuments) -> Task[Summary]:
        """Summarise the documents."""
        return Task(
            prompt=self._prompts[f"summaries.{request.kind}"],
            parameters=_about(request),
            documents=documents,
            output_type=Summary,
            fallback=lambda: extractive_fallback.summary(documents.documents, self._encoder()),
            verify=lambda summary: _fits_kind(summary, request.kind),
        )

    def plan(self, request: PlanRequest, documents: PreparedDocuments) -> Task[Plan]:
        """Plan what the documents call for."""
        return Task(
            prompt=self._prompts["plans"],
            parameters={**_about(request), "metas": request.goals},
            documents=documents,
            output_type=Plan,
            fallback=lambda: extractive_fallback.plan(documents.documents, self._encoder()),
            verify=lambda plan: [*_needs(plan.objectives, "objectives"), *_needs(plan.actions, "actions")],
        )

    def speech(self, request: SpeechRequest, documents: PreparedDocuments) -> Task[Speech]:
        """Write a speech of the requested length."""
        length = request.minutes * WORDS_PER_MINUTE
        return Task(
            prompt=self._prompts["speeches"],
            parameters={**_about(request), "palabras": length, "tono": request.tone},
            documents=documents,
            output_type=Speech,
            fallback=lambda: extractive_fallback.speech(documents.documents, self._encoder()),
            verify=lambda speech: [*_needs(speech.key_points, "key_points"), *_long_enough(speech, length)],
            output_tokens=_TOKENS_PER_WORD * length + _TOKENS_BESIDE_SPEECH,
        )

    def advice(self, request: AdviceRequest, documents: PreparedDocuments) -> Task[Advice]:
        """Advise, with drafts for a person to approve."""
        profile = request.profile.model_dump(exclude_none=True) if request.profile else {}
        parameters = {
            **_about(request),
            "perfil": profile,
            "metas": request.goals,
            "limites": request.constraints,
            "borradores": request.max_drafts,
        }
        return Task(
            prompt=self._prompts["advice"],
            parameters=parameters,
            documents=documents,
            output_type=Advice,
            fallback=lambda: extractive_fallback.advice(documents.documents, self._encoder()),
            verify=lambda advice: _drafts(advice, request.max_drafts),
        )

    def answer(self, request: AnswerRequest, documents: PreparedDocuments) -> Task[SourcedAnswer]:
        """Answer a question from the documents."""
        return Task(
            prompt=self._prompts["answers"],
            parameters={"pregunta": request.question},
            documents=documents,
            output_type=SourcedAnswer,
            fallback=lambda: extractive_fallback.answer(request.question, documents.documents, self._encoder()),
            verify=_has_evidence,
        )

    def topics(self, request: TopicsRequest, documents: PreparedDocuments) -> Task[Topics]:
        """Classify the documents."""
        labels = labels_of(request)
        return Task(
            prompt=self._prompts["topics"],
            parameters={"temas": {label.slug: label.name for label in labels}},
            documents=documents,
            output_type=Topics,
            fallback=lambda: extractive_fallback.topics(documents.documents, labels, self._encoder()),
            verify=lambda topics: _is_complete(topics, documents.documents, {label.slug for label in labels}),
            output_tokens=_tokens_of_topics(documents.documents, labels),
        )

    def topics_without_model(self, request: TopicsRequest, documents: Sequence[Document]) -> Topics:
        """Classify by words, for documents that a model may not see."""
        return extractive_fallback.topics(documents, labels_of(request), self._encoder())


def _tokens_of_topics(documents: Sequence[Document], labels: Sequence[Axis]) -> int:
    """Return the most tokens that a model needs to name the topics of ``documents``."""
    longest = max(len(label.slug.encode()) for label in labels)
    size = sum(_BYTES_AROUND_TOPIC + len(document.id.encode()) + 2 * longest for document in documents)
    return _TOKENS_BESIDE_TOPICS + size // _BYTES_PER_TOKEN


def spoken_minutes(text: str) -> float:
    """Return how long ``text`` takes to read aloud at ``WORDS_PER_MINUTE``, in minutes."""
    return round(len(text.split()) / WORDS_PER_MINUTE, 1)


def labels_of(request: TopicsRequest) -> Sequence[Axis]:
    """Return the permitted topics, without duplicates."""
    if request.labels is None:
        return AXES
    return [Axis(name, name, ()) for name in dict.fromkeys(request.labels)]


def _about(request: TaskRequest) -> dict[str, Any]:
    said = {"lugar": request.location, "candidato": request.candidate}
    return {name: value for name, value in said.items() if value}


def _needs(items: Sequence[object], name: str) -> Iterator[str]:
    if not items:
        yield f"{name}: hace falta al menos uno"


def _fits_kind(summary: Summary, kind: str) -> Iterator[str]:
    yield from _needs(summary.findings, "findings")
    if summary.recommendations and kind != "executive":
        yield "recommendations: debe ir vacía, este resumen no aconseja"


def _long_enough(speech: Speech, length: int) -> Iterator[str]:
    words = len(speech.content.split())
    if words < _MIN_SPEECH_SHARE * length:
        yield f"content: tiene {words} palabras y se pidieron cerca de {length}"


def _drafts(advice: Advice, most: int) -> Iterator[str]:
    yield from _needs(advice.drafts, "drafts")
    if len(advice.drafts) > most:
        yield f"drafts: son {len(advice.drafts)} y se pidieron como mucho {most}"


def _has_evidence(answer: SourcedAnswer) -> Iterable[str]:
    if answer.answered and not answer.evidence:
        yield "evidence: una respuesta necesita al menos una prueba"


def _is_complete(topics: Topics, documents: Sequence[Document], labels: set[str]) -> Iterator[str]:
    if [item.document_id for item in topics.items] != [document.id for document in documents]:
        yield "items: debe haber exactamente uno por documento, en el mismo orden"
    for item in topics.items:
        if item.label not in labels or item.secondary not in (*labels, None):
            yield f"items: «{item.label[:40]}», «{(item.secondary or '')[:40]}»: solo valen los temas de los parámetros"
            return
