"""`castor doctor`: asks each capability one small question, and says what is configured and whether it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from castor_devstack.errors import DevstackError
from castor_devstack.job.ingress_client import ErrorAnswer
from castor_devstack.job.traced_client import Json, TracedClient

Outcome = Literal["ok", "off", "fails"]
X_OFF = "x_not_configured"


@dataclass(frozen=True)
class Finding:
    """What became of one question: answered, not configured, or failed, and a sentence."""

    part: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class Question:
    """A call whose answer shows that a capability works; ``read`` returns the sentence, or raises ``DevstackError``."""

    part: str
    method: str
    path: str
    body: Json | None
    read: Callable[[Json], str]


def examine(client: TracedClient, has_language_model: bool) -> Iterator[Finding]:
    """Yield a finding for each capability. Where a language model is configured, one short paid call is made."""
    for question in QUESTIONS:
        yield _asked(client, question)
    yield _language_model(client, has_language_model)


def is_configured(environment: Mapping[str, str]) -> bool:
    """Return whether a service with this environment has a language model."""
    return any(environment.get(name) for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PROVIDERS"))


def as_lines(findings: list[Finding]) -> list[str]:
    """Return the findings as lines for a terminal."""
    marks = {"ok": "✓", "off": "·", "fails": "✗"}
    return [f"{marks[one.outcome]} {one.part:16} {one.sentence}" for one in findings]


def _asked(client: TracedClient, question: Question) -> Finding:
    try:
        return Finding(question.part, "ok", question.read(client.call(question.method, question.path, question.body)))
    except ErrorAnswer as error:
        outcome: Outcome = "off" if error.code == X_OFF else "fails"
        return Finding(question.part, outcome, str(error))
    except DevstackError as error:
        return Finding(question.part, "fails", str(error))


def _language_model(client: TracedClient, is_set: bool) -> Finding:
    body = {"messages": [{"role": "user", "content": "Responde: sí."}], "max_tokens": 5}
    found = _asked(client, Question("language model", "POST", "/v1/openai/chat/completions", body, _chat))
    if found.outcome == "ok" and found.sentence == _QUOTES:
        if not is_set:
            return Finding(
                found.part, "off", "not configured: answers are quotes; set OPENAI_API_KEY or OPENAI_BASE_URL"
            )
        return Finding(found.part, "fails", "configured, but it did not answer; `castor logs openai` says why")
    return found


_QUOTES = "quotes"


def _chat(answer: Json) -> str:
    return _QUOTES if answer.get("degraded") else f"{answer['model']} answers"


def _sentiment(answer: Json) -> str:
    model = answer["data"]["model"]
    return f"{model['id']}@{model['version']} scores"


def _tweets(answer: Json) -> str:
    data = answer["data"]
    return f"{data['tweets']:,} tweets, {data['pending']:,} wait for their sentiment"


def _rag(answer: Json) -> str:
    data = answer["data"]
    return f"{data['documents']:,} documents, {data['pending']:,} wait for their vector"


QUESTIONS = (
    Question("accounts", "GET", "/v1/auth/me", None, lambda _: "tokens are issued and accepted"),
    Question("sentiment", "POST", "/v1/sentiment/analyze", {"texts": ["gracias"]}, _sentiment),
    Question("tweets", "GET", "/v1/twitter/scores/progress", None, _tweets),
    Question("X", "POST", "/v1/twitter/searches/preview", {"any_of": ["hola"]}, lambda _: "the key is accepted"),
    Question("trends", "GET", "/v1/trending/topics", None, lambda _: "topics are computed"),
    Question("embeddings", "POST", "/v1/openai/embeddings", {"input": "hola"}, lambda one: f"{one['model']} encodes"),
    Question("documents", "GET", "/v1/rag/status", None, _rag),
    Question("forecasts", "GET", "/v1/forecast/weeks", None, lambda _: "indexes are computed"),
)
