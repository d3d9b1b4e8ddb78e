"""Sentiment towards targets: a model that reads targets answers alone; else the rules, and the model for the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from typing import Any

from sentiment_service.classifiers.base import TargetedText
from sentiment_service.inference.model import ScoredText, unscored
from sentiment_service.inference.questions import Question
from sentiment_service.inference.service import SentimentService
from sentiment_service.metrics import TARGETS
from sentiment_service.targets.assess import assess, naming
from sentiment_service.targets.clauses import is_named
from sentiment_service.targets.model import ABSENT, PendingTarget, TargetSentiment
from sentiment_service.text.language import detect, unscored_reason

TextsWithTargets = Sequence[tuple[str, Sequence[str]]]
Assessed = TargetSentiment | PendingTarget
Judge = Callable[[str, str, Sequence[str]], Assessed]
CHARACTERS_PER_TURN = 100_000
"""Characters, times the targets that are looked for in them, that a thread reads before others have their turn."""


class TargetSentimentService:
    """Scores the targets of one request's texts."""

    def __init__(self, sentiment: SentimentService, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._sentiment = sentiment
        self._in_thread = in_thread

    async def score(self, texts: TextsWithTargets) -> list[list[TargetSentiment]]:
        """Return the sentiment towards each target of each text, in the order given.

        Raises:
            ModelUnavailable: The model is not loaded yet, or could not be loaded.
            QueueFull: The clauses that the model has to read would wait too long.
        """
        classifier = self._sentiment.model.classifier
        judge = ask_model if classifier.target_reader else assess
        languages = classifier.model.languages
        assessed = list[list[Assessed]]()
        for turn in turns(texts):
            assessed += await self._in_thread(assess_all, turn, languages, judge)
        pending = (one.question for found in assessed for one in found if isinstance(one, PendingTarget))
        questions = list(dict.fromkeys(pending))
        scored = await self._sentiment.score(questions, "auto", count=False) if questions else []
        answers = dict(zip(questions, scored, strict=True))
        sentiments = [_resolved(found, answers) for found in assessed]
        for sentiment in (sentiment for found in sentiments for sentiment in found):
            TARGETS.labels(sentiment.basis or ("absent" if sentiment.scores is None else "unscored")).inc()
        return sentiments


def turns(texts: TextsWithTargets) -> Iterator[TextsWithTargets]:
    """Cut the texts of a request into what a thread does at a time.

    Requests take turns between the parts, and one whose caller has left goes no further.
    """
    ends = accumulate(len(text) * len(targets) for text, targets in texts)
    for _, part in groupby(zip(texts, ends, strict=True), lambda one: one[1] // CHARACTERS_PER_TURN):
        yield [one for one, _ in part]


def ask_model(text: str, target: str, _others: Sequence[str]) -> Assessed:
    """Leave a target that the text names to a model that reads targets."""
    written = naming(text, target)
    return PendingTarget(TargetedText(written, target)) if is_named(written, target) else ABSENT


def assess_all(texts: TextsWithTargets, languages: Collection[str], judge: Judge = assess) -> list[list[Assessed]]:
    """Apply ``judge`` to each target of each text; it is given the text's other targets too.

    In a text that the model does not score, the targets that are named are neutral, with the reason.
    """
    return [_assess(text, targets, unscored_reason(detect(text), languages), judge) for text, targets in texts]


def _assess(text: str, targets: Sequence[str], reason: str | None, judge: Judge) -> list[Assessed]:
    distinct = list(dict.fromkeys(targets))
    found = {target: judge(text, target, [other for other in distinct if other != target]) for target in distinct}
    if reason is not None:
        neutral = TargetSentiment(unscored(reason).scores, None, reason)
        return [neutral if _is_named(found[target]) else found[target] for target in targets]
    return [found[target] for target in targets]


def _is_named(found: Assessed) -> bool:
    return isinstance(found, PendingTarget) or found.scores is not None


def _resolved(found: Sequence[Assessed], scored: Mapping[Question, ScoredText]) -> list[TargetSentiment]:
    return [_by_model(scored[one.question]) if isinstance(one, PendingTarget) else one for one in found]


def _by_model(answer: ScoredText) -> TargetSentiment:
    return TargetSentiment(answer.scores, "model", answer.reason, answer.windows)
