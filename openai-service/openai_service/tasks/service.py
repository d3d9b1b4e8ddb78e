"""The task service: prepares the caller's documents and runs the task that a request asks for."""

from __future__ import annotations

from collections.abc import Sequence

from openai_service.metrics import WITHHELD
from openai_service.tasks.definitions import TaskDefinitions
from openai_service.tasks.documents import PreparedDocuments, prepare_documents
from openai_service.tasks.runner import InThread, TaskResult, TaskRunner, joined
from openai_service.tasks.schemas import (
    Advice,
    AdviceRequest,
    AnswerRequest,
    Plan,
    PlanRequest,
    SourcedAnswer,
    SourceDocument,
    Speech,
    SpeechRequest,
    Summary,
    SummaryRequest,
    Topics,
    TopicsRequest,
)

TOPICS_AT_ONCE = 50
"""Documents of one call: the answer has an item for each, and all of them must fit."""


class TaskService:
    """One method a task; each raises ``OutputRefused`` and what the chat service raises."""

    def __init__(self, definitions: TaskDefinitions, runner: TaskRunner, in_thread: InThread) -> None:
        self._definitions = definitions
        self._runner = runner
        self._in_thread = in_thread

    async def summary(self, request: SummaryRequest, model: str) -> TaskResult[Summary]:
        """Summarise the documents."""
        documents = await self._prepared(request.documents)
        return await self._runner.run(self._definitions.summary(request, documents), model)

    async def topics(self, request: TopicsRequest, model: str) -> TaskResult[Topics]:
        """Classify the documents, in the caller's order; those that no model may see are classified by their words."""
        documents = await self._prepared(request.documents)
        tasks = [self._definitions.topics(request, part) for part in documents.batches(TOPICS_AT_ONCE)]
        results = await self._runner.run_all(tasks, model)
        rest = await self._in_thread(self._definitions.topics_without_model, request, documents.hidden)
        items = [item for result in results for item in result.output.items]
        return joined(results, documents.in_order(Topics(items=[*items, *rest.items])), documents)

    async def plan(self, request: PlanRequest, model: str) -> TaskResult[Plan]:
        """Draft a plan."""
        documents = await self._prepared(request.documents)
        return await self._runner.run(self._definitions.plan(request, documents), model)

    async def speech(self, request: SpeechRequest, model: str) -> TaskResult[Speech]:
        """Draft a speech."""
        documents = await self._prepared(request.documents)
        return await self._runner.run(self._definitions.speech(request, documents), model)

    async def advice(self, request: AdviceRequest, model: str) -> TaskResult[Advice]:
        """Advise, with drafts."""
        documents = await self._prepared(request.documents)
        return await self._runner.run(self._definitions.advice(request, documents), model)

    async def answer(self, request: AnswerRequest, model: str) -> TaskResult[SourcedAnswer]:
        """Answer the question from the documents."""
        documents = await self._prepared(request.documents)
        return await self._runner.run(self._definitions.answer(request, documents), model)

    async def _prepared(self, sources: Sequence[SourceDocument]) -> PreparedDocuments:
        prepared: PreparedDocuments = await self._in_thread(prepare_documents, sources)
        WITHHELD.inc(len(prepared.withheld))
        return prepared
