"""Versions of the sentiment model, and how far judging again is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from twitter_service.clients.sentiment import ModelInUse, judge_name

Phase = Literal["idle", "texts", "targets", "switching"]


@dataclass(frozen=True, slots=True)
class SentimentVersion:
    """The names under which answers of one version are stored: of texts, and towards entities."""

    texts: str
    targets: str

    @classmethod
    def of(cls, model: ModelInUse) -> Self | None:
        """Return the version of a model; None from a sentiment-service that does not say its rules."""
        return None if model.rules is None else cls(model.name, judge_name(model, model.rules))


@dataclass(frozen=True, slots=True)
class RejudgingState:
    """Which version counts, and which everything is being judged under.

    In the phases ``texts`` and ``targets`` the answers of ``coming`` are collected; in ``switching`` they already count
    and replace the earlier ones. ``judged`` is how many were collected. ``strays``: answers of other versions were
    stored meanwhile.
    """

    active: SentimentVersion | None
    coming: SentimentVersion | None
    phase: Phase
    through_tweet: int
    through_entity: str
    judged: int
    strays: bool

    def is_behind(self, version: SentimentVersion) -> bool:
        """True when everything has to be judged under ``version`` and that has not begun."""
        if self.coming is not None:
            return self.coming != version
        return self.strays or self.active != version
