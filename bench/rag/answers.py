"""Writes the answers without a model that `rubric.md` scores, one file a question.

    python -m bench rag_answers --output FOLDER

The questions are those of `questions_es.tsv` that are marked; those about real tweets need `colombia_2022_tweets.csv`
in CASTOR_DATA or ../shared/data. Tweets are labelled by the fast sentiment model. A reader scores them. How long one
takes is printed: with the encoder in this process, and the work of PostgreSQL not counted to that of the processor.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.rag.database import searched
from bench.rag.questions import AS_OF, JudgedQuestion, Tweet, corpus, questions
from bench.rag.retrieval import draft
from openai_service.embeddings.transformer import TransformerEncoder
from rag_service.answers.service import AnswerService
from rag_service.documents.model import Draft
from rag_service.retrieval.model import Filters
from sentiment_service.classifiers.base import LABELS
from sentiment_service.classifiers.linear import LinearClassifier

SHOWN = 12


class NoModel:
    """openai-service without a language model."""

    async def chat(self, *_: object) -> None:
        """Answer nothing."""


def labelled(tweets: Sequence[Tweet]) -> list[Draft]:
    """Return the tweets as documents with the sentiment that the feed brings."""
    chances = LinearClassifier.load().probabilities([tweet.text for tweet in tweets])
    labels = [str(LABELS[place]) for place in chances.argmax(axis=1)]
    drafts = [draft(tweet) for tweet in tweets]
    return [replace(one, metadata={**one.metadata, "label": label}) for one, label in zip(drafts, labels, strict=True)]


def written(question: JudgedQuestion, text: str, considered: int, abstained: bool) -> str:
    """Return the file of an answer."""
    asked = f"{question.corpus} tweets as of {AS_OF[question.corpus]:%Y-%m-%d}"
    said = "abstained" if abstained else "answered"
    return f"# {question.text}\n\n({asked}; {said}; {considered} documents considered)\n\n{text}\n"


async def write(folder: Path) -> None:
    """Write one file for each marked question whose corpus is there."""
    corpora = {name: tweets for name in AS_OF if (tweets := corpus(name))}
    asked = [question for question in questions() if question.answered and question.corpus in corpora]
    none: Any = NoModel()
    drafts = labelled([tweet for tweets in corpora.values() for tweet in tweets])
    took: list[float] = []
    cost: list[float] = []
    async with searched(drafts, TransformerEncoder.load()) as retrieval:
        service = AnswerService(retrieval, none, "", asyncio.to_thread)
        for number, question in enumerate(asked, 1):
            filters = Filters(as_of=AS_OF[question.corpus], dataset=question.corpus)
            began, worked = time.perf_counter(), time.process_time()
            answer = await service.answer(question.text, filters, SHOWN)
            took.append(time.perf_counter() - began)
            cost.append(time.process_time() - worked)
            text = written(question, answer.text, answer.documents_considered, answer.abstained)
            (folder / f"{number:02}.md").write_text(text, encoding="utf-8")
    print(
        f"an answer takes {1000 * median(took):.0f} ms (p50), {1000 * median(cost):.0f} ms of a processor without SQL"
    )
    print(f"{len(asked)} answers in {folder}; score them by bench/rag/rubric.md")


def main() -> None:
    """Write the answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path("rag_answers"), help="folder of the answers")
    folder: Path = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(write(folder))


if __name__ == "__main__":
    main()
