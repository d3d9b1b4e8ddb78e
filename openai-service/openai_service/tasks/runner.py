"""Runs a task: a versioned prompt, fenced documents, a checked output, one repair, and a fallback without a model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from openai_service.errors import LanguageModelNeeded, NoUpstream, OutputRefused, UpstreamTimeout, UpstreamUnavailable
from openai_service.metrics import TASKS
from openai_service.prompts import PromptFile
from openai_service.protocol.chat import ChatCompletion, ChatRequest, Message
from openai_service.protocol.models import EXTRACTIVE
from openai_service.tasks.documents import PreparedDocuments
from openai_service.tasks.output_checks import CheckContext, problems
from openai_service.tasks.prompt_fencing import PromptFence

log = structlog.get_logger("castor.openai.tasks")
W = TypeVar("W", bound=BaseModel)


class Ask(Protocol):
    """Asks a model; with ``fresh`` an answer from the response cache does not count."""

    def __call__(self, request: ChatRequest, prompt_version: str, *, fresh: bool) -> Awaitable[ChatCompletion]:
        """Return the complete answer."""


InThread = Callable[..., Awaitable[Any]]
REPAIR = "repair"
_MAX_PROBLEMS = 8
_FALLBACK_ERRORS = (LanguageModelNeeded, NoUpstream, UpstreamUnavailable, UpstreamTimeout)
# Keywords that constrained decoding of some servers does not support; the output is checked against all of them here.
_UNSENT_KEYWORDS = ("minLength", "maxLength", "minimum", "maximum", "title", "default", "description")


@dataclass(frozen=True, slots=True)
class Task(Generic[W]):
    """One task: its prompt, its parameters and documents, the type of its output, and what makes it without a model."""

    prompt: PromptFile
    parameters: Mapping[str, Any]
    documents: PreparedDocuments
    output_type: type[W]
    fallback: Callable[[], W]
    verify: Callable[[W], Iterable[str]] = field(default=lambda _: ())
    """Yields what is wrong with an output beyond its shape, in Spanish."""
    output_tokens: int | None = None
    """The room for the output, where it depends on the request; None: as the prompt says."""

    @property
    def max_tokens(self) -> int:
        """The limit of the answer."""
        return self.output_tokens or self.prompt.max_tokens


@dataclass(frozen=True, slots=True)
class TaskResult(Generic[W]):
    """The output of a task, and how it was made."""

    output: W
    documents: PreparedDocuments
    model: str
    prompt: str
    repaired: bool = False
    degraded: bool = False


def joined(results: Sequence[TaskResult[W]], output: W, documents: PreparedDocuments) -> TaskResult[W]:
    """Return ``output``, which was made of ``results``, as one result; it is as degraded as the worst of them."""
    worst = max(results, key=lambda result: result.degraded)
    return replace(worst, output=output, documents=documents, repaired=any(result.repaired for result in results))


class TaskRunner:
    """Runs tasks through ``ask`` and refuses an output that fails the checks twice."""

    def __init__(
        self, ask: Ask, in_thread: InThread, fence: PromptFence, repair: PromptFile, *, allow_degraded: bool
    ) -> None:
        self._ask = ask
        self._in_thread = in_thread
        self._fence = fence
        self._repair = repair
        self._allow_degraded = allow_degraded

    async def run_all(self, tasks: Iterable[Task[W]], model: str) -> list[TaskResult[W]]:
        """Return the results of parts of one task, which run at the same time; the first failure ends all of them."""
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self.run(task, model)) for task in tasks]
        except ExceptionGroup as failed:
            # The others were cancelled by it.
            raise failed.exceptions[0] from None
        return [task.result() for task in running]

    async def run(self, task: Task[W], model: str) -> TaskResult[W]:
        """Return a checked output; raises ``OutputRefused`` and what ``ask`` raises."""
        if not task.documents.documents:
            return await self._fall_back(task, "no_documents")
        try:
            return await self._ask_model(task, model)
        except _FALLBACK_ERRORS as error:
            if not self._allow_degraded:
                raise
            return await self._fall_back(task, error.code)

    async def _fall_back(self, task: Task[W], reason: str) -> TaskResult[W]:
        TASKS.labels(task.prompt.name, "degraded").inc()
        log.info("task_without_model", task=task.prompt.name, reason=reason)
        output = await self._in_thread(task.fallback)
        return TaskResult(output, task.documents, EXTRACTIVE, task.prompt.version, degraded=True)

    async def _ask_model(self, task: Task[W], model: str) -> TaskResult[W]:
        user, mark = self._fence.message(task.parameters, task.documents.documents)
        messages = [Message(role="system", content=task.prompt.text), Message(role="user", content=user)]
        context = CheckContext(
            {document.id: document.text for document in task.documents.documents},
            json.dumps(task.parameters, ensure_ascii=False),
            task.prompt.text,
            mark,
        )
        for repaired in (False, True):
            completion = await self._ask(_request(task, messages, model), task.prompt.version, fresh=repaired)
            output, wrong = await self._in_thread(read_output, completion, task, context)
            if output is not None:
                TASKS.labels(task.prompt.name, "repaired" if repaired else "ok").inc()
                return TaskResult(output, task.documents, completion.model, task.prompt.version, repaired)
            if completion.choices[0].finish_reason == "length":
                # A repair would have no more room.
                wrong = [f"la respuesta se cortó a los {task.max_tokens} tokens: pida menos documentos o menos texto"]
                break
            messages = [*messages, *self._repair_messages(completion, wrong)]
        TASKS.labels(task.prompt.name, "refused").inc()
        raise OutputRefused(task=task.prompt.name, problems=wrong)

    def _repair_messages(self, completion: ChatCompletion, wrong: Sequence[str]) -> list[Message]:
        said = completion.choices[0].message.content or ""
        request = self._repair.text.replace("{problems}", "; ".join(wrong))
        return [Message(role="assistant", content=said), Message(role="user", content=request)]


def read_output(completion: ChatCompletion, task: Task[W], context: CheckContext) -> tuple[W | None, list[str]]:
    """Return (output, []), or (None, what is wrong with the answer)."""
    message = completion.choices[0].message
    if message.tool_calls:
        return None, ["llama herramientas, y no hay ninguna"]
    try:
        output = task.output_type.model_validate_json(_unwrapped(message.content or ""))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return None, [_problem(item) for item in found[:_MAX_PROBLEMS]]
    wrong = [*problems(output, context), *task.verify(output)][:_MAX_PROBLEMS]
    return (None, wrong) if wrong else (output, [])


def _unwrapped(content: str) -> str:
    # Some servers wrap JSON in a Markdown code block whatever the request says.
    text = content.strip()
    return text.removeprefix("```json").removeprefix("```").removesuffix("```").strip()


def _problem(item: Any) -> str:
    return f"{'.'.join(map(str, item['loc'])) or 'JSON'}: {item['msg']}"


def _request(task: Task[W], messages: list[Message], model: str) -> ChatRequest:
    schema = {"name": task.prompt.name.replace(".", "_"), "strict": True, "schema": strict_schema(task.output_type)}
    # Not validated: a schema is nested deeper than callers' JSON may be.
    return ChatRequest.model_construct(
        model=model,
        messages=messages,
        temperature=task.prompt.temperature,
        max_tokens=task.max_tokens,
        response_format={"type": "json_schema", "json_schema": schema},
    )


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's JSON schema for strict decoding: all properties required, no keyword that servers refuse."""
    return _strict(model.model_json_schema())  # type: ignore[no-any-return]


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(child) for child in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _strict(child) for key, child in node.items() if key not in _UNSENT_KEYWORDS or isinstance(child, dict)
    }
    if "properties" in plain:
        plain["required"] = list(plain["properties"])
    return plain
