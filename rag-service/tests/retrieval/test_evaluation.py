"""The measures of a ranking, and the endpoint that takes them of a set of questions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from rag_service.retrieval.evaluation import quality_of

if TYPE_CHECKING:
    from conftest import World


@pytest.mark.parametrize(
    ("ranking", "ndcg", "recall", "first"),
    [
        (["a", "b", "x"], 1.0, 1.0, 1.0),
        (["x", "a", "b"], (1 / math.log2(3) + 0.5) / (1 + 1 / math.log2(3)), 1.0, 0.5),
        (["x", "y", "z", "a"], 0.0, 0.0, 0.0),
        ([], 0.0, 0.0, 0.0),
    ],
)
def test_measures_are_those_of_the_definition(ranking: list[str], ndcg: float, recall: float, first: float) -> None:
    """nDCG, recall and reciprocal rank of the first three, by hand."""
    quality = quality_of(ranking, {"a", "b"}, 3)
    assert (quality.ndcg, quality.recall, quality.reciprocal_rank) == pytest.approx((ndcg, recall, first))


async def test_a_set_of_questions_is_measured_on_the_stored_documents(world: World) -> None:
    """Each question has its measures and its ranking, and the set their means."""
    world.openai.down = True
    await world.upload({"id": "a", "text": "Habrá tres hospitales."}, {"id": "b", "text": "El metro llega a Soacha."})
    questions = [
        {"question": "¿hospitales?", "relevant": ["a"]},
        {"question": "¿metro?", "relevant": ["a", "b"]},
        {"question": "¿fútbol?", "relevant": ["a"]},
    ]
    answer = await world.call("POST", "/v1/rag/evaluations", {"questions": questions, "depth": 5})
    rows = answer["data"]["questions"]
    assert [row["ids"] for row in rows] == [["a"], ["b"], []]
    assert [row["recall"] for row in rows] == [1, 0.5, 0]
    assert answer["data"]["recall"] == pytest.approx(0.5)
    assert answer["meta"]["degraded"] == ["embeddings"]
    await world.call("POST", "/v1/rag/evaluations", {"questions": []}, status=422)
