"""Sentiment of texts, from sentiment-service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from castor_chassis import Peer
from castor_chassis.client.operation import Operation

LANGUAGES = frozenset({"es", "en", "pt"})


class Score(BaseModel):
    """Shares in [0, 1] of one text, and the label they lead to."""

    id: str
    positive: float
    neutral: float
    negative: float
    label: Literal["positive", "neutral", "negative"]


class Model(BaseModel):
    """The model that scored."""

    id: str
    version: str

    @property
    def name(self) -> str:
        """Under which its scores of texts are stored."""
        return f"{self.id}@{self.version}"


class ModelInUse(Model):
    """The model that sentiment-service would ask now; ``rules`` is None from one that does not say."""

    rules: str | None = None


class Scores(BaseModel):
    """The answer to one batch."""

    results: list[Score]
    model: Model


class TargetScore(BaseModel):
    """Sentiment of a text towards one target; no shares where the text does not name it."""

    target: str
    label: Literal["positive", "neutral", "negative", "absent"]
    positive: float | None = None
    neutral: float | None = None
    negative: float | None = None
    basis: str | None = None


class ItemTargets(BaseModel):
    """The targets of one text."""

    id: str
    targets: list[TargetScore]


class TargetScores(BaseModel):
    """The answer to texts with targets; sentiments of another model or other rules are not comparable."""

    results: list[ItemTargets]
    model: Model
    rules: str = ""

    @property
    def judge(self) -> str:
        """Under which its answers towards targets are stored."""
        return judge_name(self.model, self.rules)


def judge_name(model: Model, rules: str) -> str:
    """Return under which answers towards targets of a model with these rules are stored."""
    return f"{model.name}+rules{rules}"


MAX_TARGETS = 10
"""Targets of one text that sentiment-service accepts in one call."""

OPERATIONS = (
    Operation("POST", "/v1/sentiment/batch", ("items", "lang"), Scores),
    Operation("POST", "/v1/sentiment/targets", ("items",), TargetScores),
    Operation("GET", "/v1/sentiment/model", (), ModelInUse),
)


class SentimentClient:
    """Scores texts, and targets in them. There is no fallback: tweets wait in the store meanwhile."""

    def __init__(self, peer: Peer, *, timeout_seconds: float) -> None:
        self._peer = peer
        self._timeout = timeout_seconds

    async def score(self, items: Sequence[tuple[str, str]], lang: str) -> Scores:
        """Score (id, text) pairs, at most 1,000; raises the chassis's ``PeerError``."""
        body = {"items": [{"id": key, "text": text} for key, text in items], "lang": lang}
        reply = await self._peer.post(OPERATIONS[0].path, json=body, idempotent=True, timeout_seconds=self._timeout)
        return Scores.model_validate(reply.data)

    async def towards(self, items: Sequence[tuple[str, str, Sequence[str]]]) -> TargetScores:
        """Judge (id, text, targets) triples, at most 200; raises the chassis's ``PeerError``."""
        body = {"items": [{"id": key, "text": text, "targets": list(targets)} for key, text, targets in items]}
        reply = await self._peer.post(OPERATIONS[1].path, json=body, idempotent=True, timeout_seconds=self._timeout)
        return TargetScores.model_validate(reply.data)

    async def model(self) -> ModelInUse:
        """Return which model would answer now; raises the chassis's ``PeerError``."""
        reply = await self._peer.get(OPERATIONS[2].path, timeout_seconds=self._timeout)
        return ModelInUse.model_validate(reply.data)
