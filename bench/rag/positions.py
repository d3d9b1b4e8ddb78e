"""How well an answer without a model tells the positions on a question.

    python -m bench rag_positions

`positions_es.tsv` holds 14 questions about the real tweets of `questions.py`, none of them one of the 40 that are
scored by `rubric.md`. Of each, the tweets that were most surely about it, up to 45, were read, and have the letter of
the position that they take, or "-" where they do not answer. Constants were chosen on the `develop` questions and kept
when the `check` questions gained too. Printed are, for both parts, the means over the questions of:

- recall and precision of what is told to be about the question, among the tweets that were read;
- B-cubed precision, recall and F1 (Bagga and Baldwin 1998) of the groups against the positions;
- how many groups repeat, in their first quote, the position of a larger group, how many quote two positions, and how
  many quotes do not answer.
"""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.rag.answers import SHOWN, NoModel, labelled
from bench.rag.database import searched
from bench.rag.questions import AS_OF, corpus
from openai_service.embeddings.transformer import TransformerEncoder
from rag_service.answers.model import Answer
from rag_service.answers.passages import Passage, fold_repeats
from rag_service.answers.quoting import Group, groups_with_quotes, surely_about
from rag_service.answers.relevance import relevance_of
from rag_service.answers.service import AnswerService
from rag_service.questions.question import Question
from rag_service.retrieval.model import Filters
from rag_service.text.names import full_names

READ = Path(__file__).resolve().parent / "positions_es.tsv"
OFF = "-"
Positions = dict[str, str]
MEASURES = ("recall", "precision", "B3 precision", "B3 recall", "B3 F1", "groups", "repeated", "mixed", "off")


def read() -> dict[tuple[str, str], Positions]:
    """Return for each question and its part the position of each tweet that was read."""
    found: dict[tuple[str, str], Positions] = {}
    with READ.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            taken = dict.fromkeys((f"tweet:{tweet}" for tweet in row["tweets"].split()), row["position"])
            found.setdefault((row["question"], row["part"]), {}).update(taken)
    return found


def b_cubed(groups: Sequence[Sequence[str]], positions: Positions) -> tuple[float, float, float]:
    """Return precision, recall and F1 of ``groups``, of those of their members that take a position."""
    placed = [(one, number) for number, group in enumerate(groups) for one in group if positions.get(one, OFF) != OFF]
    pairs = Counter((number, positions[one]) for one, number in placed)
    sizes, taken = Counter(number for _, number in placed), Counter(positions[one] for one, _ in placed)
    if not placed:
        return 0.0, 0.0, 0.0
    precision = fmean(pairs[number, positions[one]] / sizes[number] for one, number in placed)
    recall = fmean(pairs[number, positions[one]] / taken[positions[one]] for one, number in placed)
    return precision, recall, 2 * precision * recall / (precision + recall)


def measured(answer: Answer, told: Sequence[Passage], groups: Sequence[Group], read: Positions) -> list[float]:
    """Return the MEASURES of an answer that tells ``told`` to be about its question, in ``groups``."""
    about = [passage.document.id for passage in told]
    members = [[passage.document.id for passage in group.passages] for group in groups]
    relevant = {one for one, position in read.items() if position != OFF}
    known = [one for one in about if one in read]
    quoted = [[read[quote.id] for quote in position.quotes if quote.id in read] for position in answer.positions]
    first = [one[0] for one in quoted if one and one[0] != OFF]
    return [
        len(relevant & set(about)) / len(relevant),
        len(relevant & set(known)) / max(1, len(known)),
        *b_cubed(members, read),
        len(answer.positions),
        len(first) - len(set(first)),
        sum(len(set(one)) > 1 for one in quoted),
        sum(one.count(OFF) for one in quoted),
    ]


async def grouped(service: AnswerService, text: str, filters: Filters) -> tuple[list[Passage], list[Group]]:
    """Return what is told to be about a question and its groups, as the service does before it quotes."""
    asked, found = await service.surveyed(Question.of(text, filters))
    documents = [hit.document for hit in found.hits]
    frequencies = await service.retrieval.frequencies([term.word for term in asked.terms], asked.filters)
    vectors = await service.retrieval.vectors(documents, asked.filters.access)
    everything = relevance_of(asked.terms, frequencies, found.hits, vectors, full_names(asked.text))
    relevance = everything.of_tone(asked.tone).of_form(asked.form, asked.terms)
    passages = fold_repeats(relevance.hits, relevance.chances)
    known = {document.id: vector for document, vector in zip(documents, vectors, strict=True)}
    of_passages = [known[passage.document.id] for passage in passages]
    return surely_about(passages, groups_with_quotes(passages, asked, of_passages)) if passages else ([], [])


async def measure() -> None:
    """Print the means of the MEASURES for both parts."""
    rows: dict[str, list[list[float]]] = {}
    none: Any = NoModel()
    filters = Filters(as_of=AS_OF["real"], dataset="real")
    async with searched(labelled(corpus("real")), TransformerEncoder.load()) as retrieval:
        service = AnswerService(retrieval, none, "", asyncio.to_thread)
        for (text, part), positions in read().items():
            told, groups = await grouped(service, text, filters)
            answer = await service.answer(text, filters, SHOWN)
            rows.setdefault(part, []).append(measured(answer, told, groups, positions))
    for part, measures in rows.items():
        means = zip(MEASURES, (fmean(column) for column in zip(*measures, strict=True)), strict=True)
        print(f"{part}:", ", ".join(f"{name} {mean:.3f}" for name, mean in means))


def main() -> None:
    """Measure; without the real tweets there is nothing to."""
    if corpus("real"):
        asyncio.run(measure())
    else:
        print("rag_positions needs colombia_2022_tweets.csv; see bench/rag/questions.py")


if __name__ == "__main__":
    main()
