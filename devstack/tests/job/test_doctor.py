"""What `castor doctor` says of answers, of what is not configured, and of failures."""

from __future__ import annotations

from typing import Any, cast

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.job.doctor import Finding, as_lines, examine, is_configured
from castor_devstack.job.ingress_client import ErrorAnswer
from castor_devstack.job.traced_client import TracedClient

ANSWERS: dict[str, Any] = {
    "/v1/auth/me": {},
    "/v1/sentiment/analyze": {"data": {"model": {"id": "m", "version": "1"}}},
    "/v1/twitter/scores/progress": {"data": {"tweets": 2000, "pending": 5}},
    "/v1/twitter/searches/preview": ErrorAnswer(409, "X is not configured; set X_BEARER_TOKEN.", "x_not_configured"),
    "/v1/trending/topics": {},
    "/v1/openai/embeddings": {"model": "bundled"},
    "/v1/rag/status": {"data": {"documents": 10, "pending": 0}},
    "/v1/forecast/weeks": {},
    "/v1/openai/chat/completions": {"model": "extractive", "degraded": ["llm"]},
}


class Answers:
    """Answers each path as it is told."""

    def __init__(self, **changed: Any) -> None:
        self._answers = {**ANSWERS, **{f"/v1/{name.replace('__', '/')}": value for name, value in changed.items()}}

    def call(self, _method: str, path: str, _body: Any) -> Any:
        """Return the answer of a path, or raise it."""
        answer = self._answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer


def examined(has_language_model: bool = False, **changed: Any) -> dict[str, Finding]:
    """Return the findings by part."""
    return {one.part: one for one in examine(cast(TracedClient, Answers(**changed)), has_language_model)}


def test_without_keys_nothing_fails() -> None:
    """X and the language model are off, which is no failure and says what to set; all else answers."""
    found = examined()
    assert {part for part, one in found.items() if one.outcome == "off"} == {"X", "language model"}
    assert {one.outcome for one in found.values()} == {"ok", "off"}
    assert "2,000 tweets, 5 wait" in found["tweets"].sentence
    assert "OPENAI_API_KEY" in found["language model"].sentence
    assert as_lines([found["X"]]) == ["· X                X is not configured; set X_BEARER_TOKEN."]


def test_a_key_that_does_not_work_fails() -> None:
    """Where a model is configured, quotes instead of an answer are a failure; so is a key that X refuses."""
    refused = ErrorAnswer(503, "X refused the key.", "x_unavailable")
    found = examined(has_language_model=True, twitter__searches__preview=refused)
    assert (found["language model"].outcome, found["X"].outcome) == ("fails", "fails")
    works = examined(has_language_model=True, openai__chat__completions={"model": "gpt"})
    assert works["language model"] == Finding("language model", "ok", "gpt answers")


@pytest.mark.parametrize("error", [ErrorAnswer(503, "away", "peer_unavailable"), DevstackError("no answer")])
def test_a_service_that_is_away_fails_alone(error: Exception) -> None:
    """One failure is named, and the other questions are asked all the same."""
    found = examined(rag__status=error)
    assert {part for part, one in found.items() if one.outcome == "fails"} == {"documents"}
    assert found["documents"].sentence == str(error)


def test_what_counts_as_a_language_model() -> None:
    """A key, an address or a list of providers; an empty variable is none."""
    assert is_configured({"OPENAI_BASE_URL": "http://localhost:11434/v1"})
    assert not is_configured({"OPENAI_API_KEY": "", "PATH": "/bin"})
