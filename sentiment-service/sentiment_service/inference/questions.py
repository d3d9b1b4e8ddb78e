"""What the model is asked: the sentiment of a text, or the sentiment of a text towards a target."""

from __future__ import annotations

from collections.abc import Sequence

from sentiment_service.classifiers.base import Classifier, Scores, TargetedText, TargetReading, TextSize

Question = str | TargetedText


def text_of(question: Question) -> str:
    """Return the text that a question is about."""
    return question if isinstance(question, str) else question.text


def classify(classifier: Classifier, questions: Sequence[Question]) -> list[Scores]:
    """Return the scores that answer each question, in the order given."""
    texts, pairs = _parted(questions)
    answers = {**dict(zip(texts, classifier.classify(texts), strict=True))} if texts else {}
    towards = dict(zip(pairs, _reader(classifier).classify(pairs), strict=True)) if pairs else {}
    return [answers[one] if isinstance(one, str) else towards[one] for one in questions]


def sizes(classifier: Classifier, questions: Sequence[Question]) -> list[TextSize]:
    """Return what each question costs, in the order given."""
    texts, pairs = _parted(questions)
    of_texts = dict(zip(texts, classifier.sizes(texts), strict=True)) if texts else {}
    of_pairs = dict(zip(pairs, _reader(classifier).sizes(pairs), strict=True)) if pairs else {}
    return [of_texts[one] if isinstance(one, str) else of_pairs[one] for one in questions]


def prepared(classifier: Classifier, question: Question) -> str:
    """Return how a question is written: questions that become equal have equal answers."""
    return classifier.prepare(question) if isinstance(question, str) else _reader(classifier).prepare(question)


def _parted(questions: Sequence[Question]) -> tuple[list[str], list[TargetedText]]:
    texts = dict.fromkeys(one for one in questions if isinstance(one, str))
    pairs = dict.fromkeys(one for one in questions if not isinstance(one, str))
    return list(texts), list(pairs)


def _reader(classifier: Classifier) -> TargetReading:
    reader = classifier.target_reader
    if reader is None:
        raise ValueError(f"the model {classifier.model.id} answers for texts only, not towards a target")
    return reader
