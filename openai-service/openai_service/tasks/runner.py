"""Tasks: a versioned prompt, fenced data, a checked answer of a type, one repair, a stand-in without a model."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from openai_service.errors import LanguageModelNeeded, NoUpstream, OutputRefused, UpstreamTimeout, UpstreamUnavailable
from openai_service.extractive.passages import Document
from openai_service.metrics import TASKS
from openai_service.prompts import PromptFile
from openai_service.protocol.chat import ChatCompletion, ChatRequest, Message
from openai_service.tasks.output_checks import Given, problems
from openai_service.tasks.prompt_fencing import Fence, cleaned
from openai_service.tasks.schemas import SourceDocument, Topics
from openai_service.text.injection_detector import gives_orders

log = structlog.get_logger("castor.openai.tasks")
W = TypeVar("W", bound=BaseModel)


class Ask(Protocol):
    """Asks a model; ``fresh``: not for an answer that was given before."""

    def __call__(self, request: ChatRequest, prompt_version: str, *, fresh: bool) -> Awaitable[ChatCompletion]:
        """Return the whole answer."""


InThread = Callable[..., Awaitable[Any]]
REPAIR = "repair"
MAX_CHARACTERS = 60_000
_MAX_PROBLEMS = 8
_WITHOUT_MODEL = (LanguageModelNeeded, NoUpstream, UpstreamUnavailable, UpstreamTimeout)
# What constrained decoding of some servers does not know; the answer is checked against all of it here.
_UNSENT = ("minLength", "maxLength", "minimum", "maximum", "title", "default", "description")


@dataclass(frozen=True, slots=True)
class Material:
    """The caller's documents, cleaned and joined by id: those a prompt may show, and those it may not."""

    documents: tuple[Document, ...]
    hidden: tuple[Document, ...] = ()
    withheld: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    def in_order(self, topics: Topics) -> Topics:
        """Return the items in the order of the caller's documents."""
        place = {name: number for number, name in enumerate(self.order)}
        return Topics(items=sorted(topics.items, key=lambda item: place[item.document_id]))


@dataclass(frozen=True, slots=True)
class Job(Generic[W]):
    """One task to do: its prompt, its data, what must come back, and what stands in when no model answers."""

    prompt: PromptFile
    parameters: Mapping[str, Any]
    material: Material
    writes: type[W]
    without_model: Callable[[], W]
    verify: Callable[[W], Iterable[str]] = field(default=lambda _: ())


@dataclass(frozen=True, slots=True)
class Done(Generic[W]):
    """What came back, and how it was made."""

    written: W
    model: str
    prompt: str
    repaired: bool = False
    degraded: bool = False


def material(sources: Sequence[SourceDocument]) -> Material:
    """Clean the documents, join those of one id, withhold those that give orders, and take what fits, in order."""
    joined: dict[str, str] = {}
    for source in sources:
        text = cleaned(source.text).strip()
        joined[source.id] = f"{joined[source.id]}\n{text}" if source.id in joined else text
    # The original is searched: what cleaning removes may spell an order.
    ordering = {source.id for source in sources if gives_orders(source.text) or gives_orders(source.id)}
    fitting = _fitting({name: text for name, text in joined.items() if name not in ordering and text})
    return Material(
        documents=tuple(Document(name, joined[name]) for name in fitting),
        hidden=tuple(Document(name, text) for name, text in joined.items() if name not in fitting),
        withheld=tuple(name for name in joined if name in ordering),
        left_out=tuple(name for name in joined if name not in fitting and name not in ordering),
        order=tuple(joined),
    )


def _fitting(texts: Mapping[str, str]) -> dict[str, str]:
    used, fitting = 0, {}
    for name, text in texts.items():
        used += len(text)
        if used <= MAX_CHARACTERS:
            fitting[name] = text
    return fitting


class Tasks:
    """Does jobs through ``ask``, which is the gateway's, and refuses what fails the checks twice."""

    def __init__(self, ask: Ask, in_thread: InThread, fence: Fence, repair: PromptFile, *, allow_degraded: bool):
        self._ask = ask
        self._in_thread = in_thread
        self._fence = fence
        self._repair = repair
        self._allow_degraded = allow_degraded

    async def do(self, job: Job[W], model: str) -> Done[W]:
        """Return a checked answer; raises ``OutputRefused`` and what the gateway raises."""
        if not job.material.documents:
            return await self._offline(job, "no_documents")
        try:
            return await self._written(job, model)
        except _WITHOUT_MODEL as error:
            if not self._allow_degraded:
                raise
            return await self._offline(job, error.code)

    async def _offline(self, job: Job[W], reason: str) -> Done[W]:
        TASKS.labels(job.prompt.name, "degraded").inc()
        log.info("task_without_model", task=job.prompt.name, reason=reason)
        return Done(await self._in_thread(job.without_model), "extractive", job.prompt.version, degraded=True)

    async def _written(self, job: Job[W], model: str) -> Done[W]:
        user, mark = self._fence.message(job.parameters, job.material.documents)
        messages = [Message(role="system", content=job.prompt.text), Message(role="user", content=user)]
        given = Given(
            {document.id: document.text for document in job.material.documents},
            json.dumps(job.parameters, ensure_ascii=False),
            job.prompt.text,
            mark,
        )
        for repaired in (False, True):
            completion = await self._ask(_request(job, messages, model), job.prompt.version, fresh=repaired)
            written, wrong = await self._in_thread(read, completion, job, given)
            if written is not None:
                TASKS.labels(job.prompt.name, "repaired" if repaired else "ok").inc()
                return Done(written, completion.model, job.prompt.version, repaired)
            messages = [*messages, *self._again(completion, wrong)]
        TASKS.labels(job.prompt.name, "refused").inc()
        raise OutputRefused(task=job.prompt.name, problems=wrong)

    def _again(self, completion: ChatCompletion, wrong: Sequence[str]) -> list[Message]:
        said = completion.choices[0].message.content or ""
        asked = self._repair.text.replace("{problems}", "; ".join(wrong))
        return [Message(role="assistant", content=said), Message(role="user", content=asked)]


def read(completion: ChatCompletion, job: Job[W], given: Given) -> tuple[W | None, list[str]]:
    """Return the answer, or None and what is wrong with it."""
    message = completion.choices[0].message
    if message.tool_calls:
        return None, ["llama herramientas, y no hay ninguna"]
    try:
        written = job.writes.model_validate_json(_bare(message.content or ""))
    except ValidationError as error:
        return None, [_said(item) for item in error.errors(include_url=False, include_input=False)[:_MAX_PROBLEMS]]
    wrong = [*problems(written, given), *job.verify(written)][:_MAX_PROBLEMS]
    return (None, wrong) if wrong else (written, [])


def _bare(content: str) -> str:
    # Some servers wrap JSON in a Markdown block whatever they are told.
    text = content.strip()
    return text.removeprefix("```json").removeprefix("```").removesuffix("```").strip()


def _said(error: Any) -> str:
    return f"{'.'.join(map(str, error['loc'])) or 'JSON'}: {error['msg']}"


def _request(job: Job[W], messages: list[Message], model: str) -> ChatRequest:
    schema = {"name": job.prompt.name.replace(".", "_"), "strict": True, "schema": sent_schema(job.writes)}
    # Not validated again: it is ours, and a schema is nested deeper than callers may nest.
    return ChatRequest.model_construct(
        model=model,
        messages=messages,
        temperature=job.prompt.temperature,
        max_tokens=job.prompt.max_tokens,
        response_format={"type": "json_schema", "json_schema": schema},
    )


def sent_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema as it is sent: every property required, nothing that strict decoders refuse."""
    return _strict(model.model_json_schema())  # type: ignore[no-any-return]


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(child) for child in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _strict(child) for key, child in node.items() if key not in _UNSENT or isinstance(child, dict)}
    if "properties" in plain:
        plain["required"] = list(plain["properties"])
    return plain
