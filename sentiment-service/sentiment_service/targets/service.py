"""From texts and targets to opinions: the rules in a thread, then the model for what they leave open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from sentiment_service.classifiers.loader import Judgement, unscored
from sentiment_service.inference.service import Analyst
from sentiment_service.metrics import TARGETS
from sentiment_service.targets.assess import Opinion, Question, assess
from sentiment_service.text.language import detect, unscored_reason

Asked = Sequence[tuple[str, Sequence[str]]]
"""Texts, each with its targets."""


class TargetAnalyst:
    """Judges the targets of one request's texts."""

    def __init__(self, analyst: Analyst, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._analyst = analyst
        self._in_thread = in_thread

    async def judge(self, asked: Asked) -> list[list[Opinion]]:
        """Return one opinion for each target of each text, in their order.

        Raises:
            ModelUnavailable: There is no model, yet or at all.
            QueueFull: The clauses that the model has to read would wait too long.
        """
        languages = self._analyst.model.card.languages
        assessed: list[list[Opinion | Question]] = await self._in_thread(assess_all, asked, languages)
        scopes = list(dict.fromkeys(one.scope for found in assessed for one in found if isinstance(one, Question)))
        judged = await self._analyst.judge(scopes, "auto", count=False) if scopes else []
        opinions = [_resolved(found, dict(zip(scopes, judged, strict=True))) for found in assessed]
        for opinion in (opinion for found in opinions for opinion in found):
            TARGETS.labels(opinion.basis or ("absent" if opinion.scores is None else "unscored")).inc()
        return opinions


def assess_all(asked: Asked, languages: Collection[str]) -> list[list[Opinion | Question]]:
    """Assess each target of each text; in a text that the model must not guess those named are neutral, and why."""
    return [_assess(text, targets, unscored_reason(detect(text), languages)) for text, targets in asked]


def _assess(text: str, targets: Sequence[str], reason: str | None) -> list[Opinion | Question]:
    named = list(dict.fromkeys(targets))
    found = {target: assess(text, target, [other for other in named if other != target]) for target in named}
    if reason is not None:
        neutral = Opinion(unscored(reason).scores, None, reason)
        return [neutral if _is_named(found[target]) else found[target] for target in targets]
    return [found[target] for target in targets]


def _is_named(found: Opinion | Question) -> bool:
    return isinstance(found, Question) or found.scores is not None


def _resolved(found: Sequence[Opinion | Question], judged: Mapping[str, Judgement]) -> list[Opinion]:
    return [_answer(judged[one.scope]) if isinstance(one, Question) else one for one in found]


def _answer(judgement: Judgement) -> Opinion:
    return Opinion(judgement.scores, "model", judgement.reason)
