"""Models that answer towards targets, on a folder that the test writes: real runtime, real tokenizer, real API."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import WORDS, write_tiny  # type: ignore[import-not-found]

from castor_chassis.testing import RunningService
from sentiment_service.classifiers.base import LABELS, TargetedText, TextSize
from sentiment_service.classifiers.target_reader import TargetReader
from sentiment_service.classifiers.transformer import TransformerClassifier
from sentiment_service.text.marking import marked

Run = Callable[..., AbstractAsyncContextManager[RunningService]]
TOWARDS = {"scale": 0.5, "bias": [0.0, 0.25, 0.0]}


def reader_of(folder: Path, **changes: Any) -> TargetReader:
    """Return the reader of a tiny model that answers for pairs the opposite of what it says of texts."""
    reader = TransformerClassifier.load(write_tiny(folder, towards=TOWARDS, **changes)).target_reader
    assert reader is not None
    return reader


def test_a_pair_is_read_as_target_and_marked_text(tmp_path: Path) -> None:
    """The last three outputs of the network answer for pairs, calibrated; the first three still answer for texts."""
    model = TransformerClassifier.load(write_tiny(tmp_path, towards=TOWARDS))
    reader = model.target_reader
    assert reader is not None
    found = reader.classify([TargetedText("mesa bueno bueno", "Ana"), TargetedText("Ana malo", "ana")])
    for scores, words in zip(found, ["mesa bueno bueno", "malo"], strict=True):
        logits = np.sum([WORDS[word][::-1] for word in ("<s>", "</s>", *words.split(), "</s>")], axis=0)
        expected = np.exp(0.5 * logits + np.array(TOWARDS["bias"]))
        assert [getattr(scores, label) for label in LABELS] == pytest.approx((expected / expected.sum()).tolist())
    plain = TransformerClassifier.load(write_tiny(tmp_path / "plain"))
    assert model.classify(["bueno", "mesa malo"]) == plain.classify(["bueno", "mesa malo"])
    assert plain.target_reader is None
    assert reader.classify([]) == []


def test_without_a_calibration_a_network_answers_for_texts_only(tmp_path: Path) -> None:
    """Outputs for pairs that the manifest says nothing of are not used."""
    folder = write_tiny(tmp_path, towards=TOWARDS)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["towards"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    model, plain = TransformerClassifier.load(folder), TransformerClassifier.load(write_tiny(tmp_path / "plain"))
    assert model.target_reader is None
    assert model.classify(["bueno", "mesa malo"]) == plain.classify(["bueno", "mesa malo"])


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("Bien por Petro, mal por URIBE", "uribe", "Bien por Petro, mal por [ URIBE ]"),
        ("Gracias @ana_rios por todo", "@ana_rios", "Gracias [ @user ] por todo"),
        ("Con #AnaPresidenta sí", "Ana", "Con [ Ana ] Presidenta sí"),
        ("Ana y Anabel, ana", "ana", "[ Ana ] y Anabel, [ ana ]"),
        ("Bogota mejora", "Bogotá", "[ Bogota ] mejora"),
        ("Nadie aquí", "Ana", "Nadie aquí"),
    ],
)
def test_mentions_are_marked(text: str, target: str, expected: str) -> None:
    """Mentions are found as whole words in any case, with and without accents, as handles and in hashtags."""
    assert marked(text, target) == expected


def test_marks_do_not_depend_on_the_composition_of_the_text() -> None:
    """A name is found in decomposed letters as in composed ones."""
    assert marked("Bogota\u0301 mejora", "Bogotá") == marked("Bogotá mejora", "Bogota\u0301") == "[ Bogotá ] mejora"


def test_of_a_long_text_the_sentences_that_name_the_target_are_read(tmp_path: Path) -> None:
    """What a long text says elsewhere does not count towards the target."""
    reader = reader_of(tmp_path, max_tokens=11)
    long = TargetedText("malo malo malo malo malo malo. bueno Ana. malo malo malo malo.", "Ana")
    short = TargetedText("bueno Ana.", "Ana")
    assert reader.classify([long]) == reader.classify([short])
    assert reader.sizes([long]) == reader.sizes([short]) == [TextSize(9, 1)]


async def test_the_api_leaves_targets_to_a_model_that_reads_them(run: Run, tmp_path: Path) -> None:
    """Each target named in a text is judged by the model; one that is not named is absent."""
    folder = write_tiny(tmp_path, towards=TOWARDS)
    item = {"id": "1", "text": "Qué bueno que perdió Ana", "targets": ["Ana", "Luis", "ANA"]}
    async with run(sentiment_model=str(folder)) as service:
        answer = await service.client.post("/v1/sentiment/targets", json={"items": [item]})
    assert answer.status_code == 200, answer.text
    first, absent, same = answer.json()["data"]["results"][0]["targets"]
    assert (first["label"], first["basis"], absent["label"]) == ("negative", "model", "absent")
    assert same["confidence"] == first["confidence"]


async def test_a_long_text_towards_a_target(run: Run, tmp_path: Path) -> None:
    """Praise, filler and more abuse of a target weigh the same in any order and composition; windows are counted."""
    parts = ("Ánimo bueno Íñigo. ", "mesa mesa mesa mesa. " * 4, "malo Íñigo malo. " * 3)
    texts = ["".join(order) for order in permutations(parts)]
    texts += [unicodedata.normalize("NFD", text) for text in texts]
    items = [{"id": str(n), "text": text, "targets": ["Iñigo", "Íñigo"]} for n, text in enumerate(texts)]
    async with run(sentiment_model=str(write_tiny(tmp_path, towards=TOWARDS, max_tokens=12))) as service:
        answer = await service.client.post("/v1/sentiment/targets", json={"items": items})
        short = {"id": "1", "text": "malo Íñigo malo.", "targets": ["Íñigo"]}
        whole = await service.client.post("/v1/sentiment/targets", json={"items": [short]})
    found = [one["targets"] for one in answer.json()["data"]["results"]]
    assert {(one["label"], one["windows"]) for pair in found for one in pair} == {("positive", 4)}
    assert len({one["positive"] for pair in found for one in pair}) == 1
    assert "windows" not in whole.json()["data"]["results"][0]["targets"][0]
