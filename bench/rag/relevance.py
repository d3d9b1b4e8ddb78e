"""How well an answer without a model tells what is about a question, and the weights by which it does.

    python -m bench rag_relevance

Of the documents that an answer surveys, those that were judged (`questions.py`) are on the subject or not. Weights of
the evidence are fitted by logistic regression (Newton's method, an L2 penalty of 0.5) on the tuned part. Precision and
recall of what the service, with its own weights, takes to be about a question, before it groups, are printed for both
parts; only the held one counts.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.rag.answers import NoModel, labelled
from bench.rag.database import searched
from bench.rag.questions import AS_OF, JudgedQuestion, corpus, questions
from openai_service.embeddings.transformer import TransformerEncoder
from rag_service.answers.relevance import evidence_of, relevance_of
from rag_service.answers.service import AnswerService
from rag_service.questions.question import Question
from rag_service.retrieval.model import Filters
from rag_service.text.names import full_names

Floats = npt.NDArray[np.float64]
PENALTY, ROUNDS = 0.5, 50
MAY_BE_LESS = -np.inf
"""A cosine may be less than 0; a share is not."""
RELATIVE, ABSOLUTE = [0, 1, 2], [3, 4, 2]
"""The columns that tell which documents are about a question, and those that tell whether any is."""


def fitted(evidence: Floats, relevant: Floats) -> Floats:
    """Return the weights of a logistic regression: of a constant, which has no penalty, and of each column."""
    columns = np.column_stack([np.ones(len(evidence)), evidence])
    weights = np.zeros(columns.shape[1])
    penalty = np.diag([1e-6, *[PENALTY] * evidence.shape[1]])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-columns @ weights))
        curve = (columns * (chance * (1 - chance))[:, None]).T @ columns + penalty
        weights += np.linalg.solve(curve, columns.T @ (relevant - chance) - penalty @ weights)
    return weights


async def survey(
    service: AnswerService, question: JudgedQuestion, counts: Counter[str]
) -> tuple[list[tuple[float, ...]], list[float]]:
    """Count what is taken to be about ``question``; return the evidence of its judged documents and their grades."""
    filters = Filters(as_of=AS_OF[question.corpus], dataset=question.corpus)
    asked, found = await service.surveyed(Question.of(question.text, filters))
    hits, retrieval = found.hits, service.retrieval
    frequencies = await retrieval.frequencies([term.word for term in asked.terms], asked.filters)
    vectors = await retrieval.vectors([hit.document for hit in hits], asked.filters.access)
    names = full_names(asked.text)
    grades = {f"tweet:{name}": float(grade > 0) for name, grade in question.grades.items()}
    about = relevance_of(asked.terms, frequencies, hits, vectors, names).hits
    told = [grades[hit.document.id] for hit in about if hit.document.id in grades]
    counts.update(right=int(sum(told)), told=len(told), relevant=int(sum(grades.values())))
    evidence = evidence_of(asked.terms, frequencies, hits, vectors, names)
    rows = list(
        zip(evidence.standing, evidence.partly, evidence.near, evidence.cosines, evidence.coverage, strict=True)
    )
    judged = [place for place, hit in enumerate(hits) if hit.document.id in grades]
    return [rows[place] for place in judged], [grades[hits[place].document.id] for place in judged]


async def measure() -> None:
    """Print both tables."""
    corpora = {name: tweets for name in AS_OF if (tweets := corpus(name))}
    drafts = labelled([tweet for tweets in corpora.values() for tweet in tweets])
    rows: list[tuple[float, ...]] = []
    grades: list[float] = []
    none: Any = NoModel()
    parts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    async with searched(drafts, TransformerEncoder.load()) as retrieval:
        service = AnswerService(retrieval, none, "", asyncio.to_thread)
        for question in questions():
            if question.corpus in corpora and question.relevant:
                found = await survey(service, question, parts[question.held])
                if not question.held:
                    rows, grades = rows + found[0], grades + found[1]
    everything, relevant = np.array(rows), np.array(grades)
    # What holds none of the names has less than no share: it is not about the question, and teaches nothing of what is.
    named = everything[:, -1] >= 0
    for name, columns, of in (("which are", RELATIVE, named), ("whether any is", ABSOLUTE, slice(None))):
        weights = fitted(np.maximum(everything[of][:, columns], [MAY_BE_LESS, 0, 0]), relevant[of])
        print(f"weights of {name} about it (a constant, cosine, words, neighbours):", np.round(weights, 2))
    for held, part in parts.items():
        precision, recall = part["right"] / part["told"], part["right"] / part["relevant"]
        print(f"{'held' if held else 'tuned'}: precision {precision:.3f}, recall {recall:.3f}")


def main() -> None:
    """Fit and measure."""
    asyncio.run(measure())


if __name__ == "__main__":
    main()
