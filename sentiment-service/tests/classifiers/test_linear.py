"""The linear model as it ships."""

import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from castor_chassis import ModelArtifactError
from sentiment_service.classifiers.base import LABELS, Classifier, Scores
from sentiment_service.classifiers.linear import LINEAR_MODEL, LinearClassifier
from sentiment_service.classifiers.linear_features import Lexicon, tokenize

TEXTS = [
    "Qué alegría tan grande, me encanta, felicitaciones a todos!",
    "Qué asco de corrupción, son unos ladrones y mentirosos",
    "La rueda de prensa es a las 10 en la sede",
    "",
    "💛💙❤",
]


@pytest.fixture(scope="module")
def classifier() -> LinearClassifier:
    """The shipped model."""
    return LinearClassifier.load()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped model folder that a test may damage."""
    return Path(shutil.copytree(LINEAR_MODEL, tmp_path / "linear"))


def test_scores_are_probabilities_in_input_order(classifier: LinearClassifier) -> None:
    """Each text gets three probabilities that sum to 1, and a batch answers like one call for each text."""
    together = classifier.classify(TEXTS)
    for text, score in zip(TEXTS, together, strict=True):
        values = [getattr(score, label) for label in LABELS]
        assert all(0.0 <= value <= 1.0 for value in values)
        assert math.isclose(sum(values), 1.0, abs_tol=1e-9)
        alone = classifier.classify([text])[0]
        assert math.isclose(alone.positive, score.positive, abs_tol=1e-9)


def test_plain_cases(classifier: LinearClassifier) -> None:
    """Clear praise is positive, clear outrage negative, an announcement neutral."""
    assert [score.label for score in classifier.classify(TEXTS[:3])] == ["positive", "negative", "neutral"]


def test_no_texts(classifier: LinearClassifier) -> None:
    """No texts give no scores."""
    assert classifier.classify([]) == []


def test_many_texts_keep_their_order(classifier: LinearClassifier) -> None:
    """A batch larger than the internal chunk answers in input order."""
    scores = classifier.classify(TEXTS * 210)
    assert len(scores) == len(TEXTS) * 210
    assert scores[-len(TEXTS)].label == "positive"
    assert scores[-len(TEXTS) + 1].label == "negative"


def test_model_card_names_what_was_measured(classifier: Classifier) -> None:
    """The card carries identity, languages, the three labels and a held-out macro-F1 well above chance."""
    card = classifier.model
    assert card.id == "castor-linear-es"
    assert set(card.labels) == set(LABELS)
    assert "es" in card.languages
    assert card.held_out["cross_validated_macro_f1"] > 0.55
    assert card.held_out["cross_validated_expected_calibration_error"] <= 0.05


def test_fast_enough_for_bulk(classifier: LinearClassifier) -> None:
    """A thousand tweet-sized texts are scored in well under two seconds of CPU in one thread."""
    texts = [f"{TEXTS[i % 3]} {TEXTS[(i + 1) % 3]} caso {i}" for i in range(1000)]
    start = time.thread_time()
    classifier.classify(texts)
    assert time.thread_time() - start < 2.0


def test_labels_follow_the_manifest_order(copied: Path, classifier: LinearClassifier) -> None:
    """Permuting the labels of the model file permutes the answers: the order is read, not assumed."""
    manifest = json.loads((copied / "manifest.json").read_text(encoding="utf-8"))
    manifest["labels"] = ["negative", "neutral", "positive"]
    (copied / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    swapped = LinearClassifier.load(copied).classify(TEXTS[:1])[0]
    assert math.isclose(swapped.negative, classifier.classify(TEXTS[:1])[0].positive, abs_tol=1e-9)


def truncate(folder: Path) -> None:
    """Cut the weights in half."""
    path = folder / "weights.npz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def rename_label(folder: Path) -> None:
    """Declare a label that the service does not have."""
    path = folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"neutral"', '"mixed"'), encoding="utf-8")


def widen(folder: Path) -> None:
    """Declare more buckets than the weights have."""
    path = folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"word_bits": 16', '"word_bits": 17'), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "No readable model manifest"),
        (lambda folder: (folder / "manifest.json").write_text("{", encoding="utf-8"), "not valid JSON"),
        (lambda folder: (folder / "manifest.json").write_text("{}", encoding="utf-8"), "does not list its files"),
        (lambda folder: (folder / "weights.npz").unlink(), "missing or unreadable"),
        (truncate, "truncated or not the one"),
        (lambda folder: (folder / "lexicon.txt").write_text("otra cosa", encoding="utf-8"), "truncated or not the one"),
        (rename_label, "unexpected layout"),
        (widen, "unexpected layout"),
    ],
)
def test_damage_is_named(copied: Path, damage: Callable[[Path], object], cause: str) -> None:
    """Every kind of damage raises one ModelArtifactError that says what is wrong and how to repair it."""
    damage(copied)
    with pytest.raises(ModelArtifactError, match=cause) as raised:
        LinearClassifier.load(copied)
    assert "training/README.md" in str(raised.value)


@pytest.mark.parametrize(
    ("scores", "label"),
    [
        (Scores(0.5, 0.2, 0.3), "positive"),
        (Scores(0.1, 0.2, 0.7), "negative"),
        (Scores(0.4, 0.4, 0.2), "neutral"),
        (Scores(0.45, 0.1, 0.45), "neutral"),
    ],
)
def test_label_of_scores(scores: Scores, label: str) -> None:
    """The label is the most probable one and a tie is neutral; confidence is its probability."""
    assert scores.label == label
    assert scores.confidence == getattr(scores, label)


def test_lexicon_matches_words_stems_and_keeps_the_tilde() -> None:
    """Accents do not matter, stems match longer words, an exact word beats a stem, and `ñ` is a letter of its own."""
    lexicon = Lexicon.parse("# c\n[positive]\nalegr* año\n[negative]\nfeo alegrón")
    assert [lexicon.polarity(word) for word in ("alegría", "FEO", "alegron", "ano", "año", "mesa")] == [
        "+", "-", "-", "", "+", "",
    ]  # fmt: skip


def test_negation_reaches_four_words_and_stops_at_the_clause() -> None:
    """Words after a negation are marked until the reach or the clause ends; polar words are marked with them."""
    lexicon = Lexicon.parse("[positive]\nbueno lindo")
    tokenized = tokenize("no es bueno, lindo", lexicon)
    assert tokenized.tokens == ["no", "¬es", "¬bueno", ",", "lindo"]
    assert tokenized.polar == ["¬+", "+"]
    assert tokenize("no a b c d e", lexicon).tokens == ["no", "¬a", "¬b", "¬c", "¬d", "e"]
