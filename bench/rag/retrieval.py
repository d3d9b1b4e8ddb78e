"""Ranking of hybrid search on judged Spanish questions, against bm25s and vectors alone.

    uv sync --group bench && python -m bench rag_retrieval

The questions are those of `questions.py`; those about real tweets need `colombia_2022_tweets.csv` in CASTOR_DATA or
../shared/data. nDCG@10 has the gain 2^grade - 1 (Burges et al. 2005), recall counts what has a grade among the first
50, of at most 50. bm25s runs as it is documented, with its Spanish stop words and Snowball's Spanish stemmer; once
more with the words of the author's handle before the text. Constants were chosen on the tuned part: read the held one.
The first run embeds the tweets, which takes minutes; then come all 1,190 questions of XQuAD-es over its 240 passages
(`es/rag/xquad.es.json`, Artetxe et al. 2020, CC BY-SA 4.0), where each question has one right passage.
"""

from __future__ import annotations

import asyncio
import html
import json
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import snowballstemmer

from bench.rag.database import searched
from bench.rag.questions import AS_OF, DATA, JudgedQuestion, Tweet, corpus, questions
from openai_service.embeddings.transformer import TransformerEncoder
from rag_service.clients.twitter import TweetChange
from rag_service.documents.model import Draft
from rag_service.ingest.feed_consumer import draft_of
from rag_service.retrieval.model import Filters
from rag_service.retrieval.service import RetrievalService

DEPTH, WIDE = 10, 50
XQUAD = DATA / "es" / "rag" / "xquad.es.json"
NOW = datetime(2100, 1, 1, tzinfo=UTC)
Ranking = list[str]
Search = Callable[[str], Ranking]


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], depth: int = DEPTH) -> float:
    """Return nDCG with the gain 2^grade - 1 and the discount log2(rank + 1); what was not judged has the grade 0."""
    found = [grades.get(name, 0) for name in ranking[:depth]]
    return _gain(found) / _gain(sorted(grades.values(), reverse=True)[:depth])


def _gain(grades: Sequence[int]) -> float:
    return math.fsum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def recall(ranking: Sequence[str], grades: Mapping[str, int], depth: int = WIDE) -> float:
    """Return the share of those with a grade that are among the first ``depth``, of at most ``depth``."""
    relevant = {name for name, grade in grades.items() if grade}
    return len(relevant & set(ranking[:depth])) / min(len(relevant), depth)


def bm25s_over(ids: Sequence[str], texts: Sequence[str]) -> Search:
    """Return a search by bm25s."""
    import bm25s  # type: ignore[import-untyped]  # without types; only measurements have it

    stemmer = snowballstemmer.stemmer("spanish")

    def tokens(texts: Sequence[str]) -> Any:
        return bm25s.tokenize(list(texts), stopwords="es", stemmer=stemmer.stemWords, show_progress=False)

    index = bm25s.BM25()
    index.index(tokens(texts), show_progress=False)

    def search(query: str) -> Ranking:
        places, scores = index.retrieve(tokens([query]), k=WIDE, show_progress=False)
        return [ids[place] for place, score in zip(places[0], scores[0], strict=True) if score > 0]

    return search


async def ranked(service: RetrievalService, query: str, filters: Filters) -> dict[str, Ranking]:
    """Return the rankings of the service, of its search by words and of its vectors alone."""
    embedded = await service.encoder.embed_query(query)
    if embedded is None:
        raise RuntimeError("the encoder in this process answered nothing")
    found = await service.search(query, filters, WIDE)
    dense = await service.searches.dense(embedded.vectors[0], embedded.model, filters, WIDE)
    lexical = await service.searches.lexical(query, filters, WIDE)
    return {
        "words alone": [candidate.key[0] for candidate in lexical],
        "vectors alone": [candidate.key[0] for candidate in dense],
        "hybrid": [hit.document.id for hit in found.hits],
    }


def draft(tweet: Tweet) -> Draft:
    """Return the document that the feed makes of a tweet."""
    return draft_of(
        TweetChange(
            id=tweet.id,
            username=tweet.username,
            created_at=tweet.created_at,
            text=tweet.text,
            lang="es",
            datasets=[tweet.corpus],
        )
    )


async def on_tweets(encoder: TransformerEncoder) -> None:
    """Print the table of the judged questions."""
    corpora = {name: tweets for name in AS_OF if (tweets := corpus(name))}
    if "real" not in corpora:
        print(f"without colombia_2022_tweets.csv in {DATA} only the questions about the sample are asked")
    asked = [question for question in questions() if question.corpus in corpora and question.relevant]
    baselines: dict[str, dict[str, Search]] = {}
    for name, tweets in corpora.items():
        ids, texts = [f"tweet:{tweet.id}" for tweet in tweets], [html.unescape(tweet.text) for tweet in tweets]
        handles = [tweet.username.replace("_", " ") for tweet in tweets]
        signed = [f"{handle} {text}" for handle, text in zip(handles, texts, strict=True)]
        baselines[name] = {"bm25s": bm25s_over(ids, texts), "bm25s, authors too": bm25s_over(ids, signed)}
    runs: dict[str, dict[str, Ranking]] = {}
    async with searched([draft(tweet) for tweets in corpora.values() for tweet in tweets], encoder) as service:
        for question in asked:
            filters = Filters(as_of=AS_OF[question.corpus], dataset=question.corpus)
            found = {name: search(question.text) for name, search in baselines[question.corpus].items()}
            for name, ranking in (found | await ranked(service, question.text, filters)).items():
                runs.setdefault(name, {})[question.id] = ranking
    report(asked, runs)


def report(asked: Sequence[JudgedQuestion], runs: Mapping[str, Mapping[str, Ranking]]) -> None:
    """Print nDCG and recall of each system for each part and, of the held part, for each kind of question."""
    held = [question for question in asked if question.held]
    tuned = [question for question in asked if not question.held]
    print(f"{len(asked)} questions with an answer, {len(held)} of them held out")
    print(f"{'':20}{'tuned nDCG@10':>15}{'recall@50':>11}{'held nDCG@10':>14}{'recall@50':>11}{'not judged@10':>15}")
    for name, run in runs.items():
        values = [measure_all(part, run) for part in (tuned, held)]
        unknown = statistics.fmean(_unjudged(question, run) for question in asked)
        numbers = f"{values[0][0]:15.3f}{values[0][1]:11.3f}{values[1][0]:14.3f}{values[1][1]:11.3f}{unknown:15.2f}"
        print(f"{name:20}{numbers}")
    ours = measure_all(held, runs["hybrid"])[0]
    print(
        "held, hybrid to " + ", ".join(f"{name} {ours / measure_all(held, run)[0]:.2f}" for name, run in runs.items())
    )
    for kind in dict.fromkeys(question.kind for question in held):
        part = [question for question in held if question.kind == kind]
        values_of_kind = (f"{name} {measure_all(part, run)[0]:.3f}" for name, run in runs.items())
        print(f"  {kind:8}{len(part):3}: " + ", ".join(values_of_kind))


def measure_all(asked: Sequence[JudgedQuestion], run: Mapping[str, Ranking]) -> tuple[float, float]:
    """Return the means of nDCG@10 and of recall@50."""
    pairs = [
        (run[question.id], {f"tweet:{name}": grade for name, grade in question.grades.items()}) for question in asked
    ]
    return (
        statistics.fmean(ndcg(ranking, grades) for ranking, grades in pairs),
        statistics.fmean(recall(ranking, grades) for ranking, grades in pairs),
    )


def _unjudged(question: JudgedQuestion, run: Mapping[str, Ranking]) -> int:
    return sum(name.removeprefix("tweet:") not in question.grades for name in run[question.id][:DEPTH])


async def on_xquad(encoder: TransformerEncoder) -> None:
    """Print nDCG@10 on XQuAD-es."""
    data = json.loads(XQUAD.read_text(encoding="utf-8"))["data"]
    passages = [paragraph for article in data for paragraph in article["paragraphs"]]
    ids, texts = [f"p{number}" for number in range(len(passages))], [passage["context"] for passage in passages]
    pairs = [(asked["question"], name) for name, passage in zip(ids, passages, strict=True) for asked in passage["qas"]]
    search = bm25s_over(ids, texts)
    drafts = [
        Draft(name, text, "xquad", datetime(2020, 1, 1, tzinfo=UTC)) for name, text in zip(ids, texts, strict=True)
    ]
    values: dict[str, list[float]] = {}
    async with searched(drafts, encoder) as service:
        for query, right in pairs:
            found = {"bm25s": search(query)} | await ranked(service, query, Filters(as_of=NOW))
            for name, ranking in found.items():
                values.setdefault(name, []).append(ndcg(ranking, {right: 1}))
    print(f"XQuAD-es, {len(pairs)} questions, {len(texts)} passages, nDCG@10:")
    print("  " + ", ".join(f"{name} {statistics.fmean(found):.3f}" for name, found in values.items()))


def main() -> None:
    """Print both tables."""
    encoder = TransformerEncoder.load()
    asyncio.run(on_tweets(encoder))
    if XQUAD.is_file():
        asyncio.run(on_xquad(encoder))
    else:
        print(f"there is no {XQUAD}: XQuAD-es is left out", file=sys.stderr)


if __name__ == "__main__":
    main()
