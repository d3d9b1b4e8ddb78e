"""Sentiment of texts, from sentiment-service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from castor_chassis import Peer
from castor_chassis.consumers import Operation

LANGUAGES = frozenset({"es", "en", "pt"})


class Score(BaseModel):
    """Shares in [0, 1] of one text, and the label they lead to."""

    id: str
    positive: float
    neutral: float
    negative: float
    label: Literal["positive", "neutral", "negative"]


class Model(BaseModel):
    """Who scored."""

    id: str
    version: str


class Scores(BaseModel):
    """The answer to one batch."""

    results: list[Score]
    model: Model


OPERATIONS = (Operation("POST", "/v1/sentiment/batch", ("items", "lang"), Scores),)


class SentimentClient:
    """Scores batches; has no fallback, because tweets wait in the store until sentiment-service is back."""

    def __init__(self, peer: Peer, *, timeout_seconds: float) -> None:
        self._peer = peer
        self._timeout = timeout_seconds

    async def score(self, items: Sequence[tuple[str, str]], lang: str) -> Scores:
        """Score (id, text) pairs, at most 1,000; raises the chassis's ``PeerError``."""
        body = {"items": [{"id": key, "text": text} for key, text in items], "lang": lang}
        reply = await self._peer.post(OPERATIONS[0].path, json=body, idempotent=True, timeout_seconds=self._timeout)
        return Scores.model_validate(reply.data)
