"""Models in ONNX, on a folder that the test writes: real runtime, real tokenizer, real digests."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_model import WORDS, write_tiny  # type: ignore[import-not-found]

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.base import LABELS, TextSize
from sentiment_service.classifiers.hub import ModelSource
from sentiment_service.classifiers.linear import LinearClassifier
from sentiment_service.classifiers.loader import load_model
from sentiment_service.classifiers.onnx_runtime import cpu_limit, runs
from sentiment_service.classifiers.transformer import TransformerClassifier
from sentiment_service.text.normalise import handles, robertuito


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny model that a test may damage."""
    return Path(write_tiny(tmp_path / "tiny"))


def test_answers_what_the_network_says(folder: Path) -> None:
    """Probabilities are the softmax of the network's logits, in the order of the texts whatever their lengths."""
    model = TransformerClassifier.load(folder)
    texts = ["mesa bueno bueno malo mesa", "malo", "", "bueno", "mesa mesa"]
    for text, scores in zip(texts, model.classify(texts), strict=True):
        logits = np.sum([WORDS[word] for word in ("<s>", *text.split(), "</s>")], axis=0)
        expected = np.exp(logits) / np.exp(logits).sum()
        assert [getattr(scores, label) for label in LABELS] == pytest.approx(expected.tolist(), abs=1e-6)


def test_no_texts(folder: Path) -> None:
    """No texts give no scores."""
    assert TransformerClassifier.load(folder).classify([]) == []


def test_labels_follow_the_manifest(tmp_path: Path) -> None:
    """The order of the outputs is read from the manifest, not assumed."""
    model = TransformerClassifier.load(write_tiny(tmp_path, labels=["negative", "neutral", "positive"]))
    assert model.classify(["bueno"])[0].label == "negative"


def test_texts_beyond_the_longest_length_are_read_in_windows(tmp_path: Path) -> None:
    """Windows of at most `max_tokens` count by their tokens and by how far they are from neutral."""
    model = TransformerClassifier.load(write_tiny(tmp_path, max_tokens=4))
    assert model.sizes(["bueno bueno", "bueno bueno malo"]) == [TextSize(4, 1), TextSize(4 + 3, 2)]
    praise, blame = model.classify(["bueno bueno", "malo"])
    weights = [4 * (1 - praise.neutral), 3 * (1 - blame.neutral)]
    expected = (weights[0] * praise.positive + weights[1] * blame.positive) / sum(weights)
    found = model.classify(["bueno bueno malo"])[0]
    assert found.positive == pytest.approx(expected, abs=1e-5)
    assert sum(getattr(found, label) for label in LABELS) == pytest.approx(1)


def test_blend_mixes_logarithms(tmp_path: Path) -> None:
    """With a blend the logits are the weighted logarithms of both models' probabilities, plus the bias."""
    linear = LinearClassifier.load()
    name = f"{linear.model.id} {linear.model.version}"
    blend = {"with": name, "transformer": 0.7, "linear": 0.4, "bias": [0.1, 0.0, -0.1]}
    plain = TransformerClassifier.load(write_tiny(tmp_path / "plain"))
    mixed = TransformerClassifier.load(write_tiny(tmp_path / "mixed", blend=blend), linear=linear)
    texts = ["bueno", "una mesa", "qué malo"]
    logits = 0.7 * np.log(plain.probabilities(texts)) + [0.1, 0.0, -0.1]
    for row, scores in enumerate(linear.classify(texts)):
        logits[row] += 0.4 * np.log([getattr(scores, label) for label in LABELS])
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert mixed.probabilities(texts) == pytest.approx(expected, abs=1e-6)


def test_blend_with_another_linear_model_is_refused(tmp_path: Path) -> None:
    """A blend fitted beside another linear model than the one at hand does not load."""
    blend = {"with": "castor-linear-es 0.0.1", "transformer": 1.0, "linear": 0.4, "bias": [0, 0, 0]}
    with pytest.raises(ModelArtifactError, match="fitted beside castor-linear-es 0.0.1"):
        TransformerClassifier.load(write_tiny(tmp_path, blend=blend), linear=LinearClassifier.load())


def cut(name: str) -> Callable[[Path], object]:
    """Cut a file in half."""
    return lambda folder: (folder / name).write_bytes(
        (folder / name).read_bytes()[: (folder / name).stat().st_size // 2]
    )


def rewrite(name: str, content: bytes) -> Callable[[Path], object]:
    """Replace a file and its digest: a file that is what the manifest says, but not what it should be."""

    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)
        manifest = json.loads((folder / "manifest.json").read_text())
        ModelFolder(folder, "").write_manifest(manifest, ("model.onnx", "tokenizer.json"))

    return damage


def change(**entries: object) -> Callable[[Path], object]:
    """Change entries of the manifest."""

    def damage(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | entries))

    return damage


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "No readable model manifest"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "not valid JSON"),
        (lambda folder: (folder / "model.onnx").unlink(), "missing or unreadable"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "missing or unreadable"),
        (cut("model.onnx"), "truncated or not the one"),
        (cut("tokenizer.json"), "truncated or not the one"),
        (rewrite("model.onnx", b"not a network"), "unexpected layout"),
        (rewrite("tokenizer.json", b"{}"), "unexpected layout"),
        (change(labels=["good", "neutral", "bad"]), "unexpected layout"),
        (change(prepare="magic"), "unexpected layout"),
    ],
)
def test_damage_is_named(folder: Path, damage: Callable[[Path], object], cause: str) -> None:
    """Every kind of damage raises one ModelArtifactError that says what is wrong and how to repair it."""
    damage(folder)
    with pytest.raises(ModelArtifactError, match=cause) as raised:
        load_model(str(folder))
    assert "training/README.md" in str(raised.value)


def test_load_by_name(folder: Path, tmp_path: Path) -> None:
    """A folder and an exported Hugging Face id load the model there; the fast bundled one is the linear model."""
    write_tiny(tmp_path / "store" / "owner--name", id="owner/name")
    assert load_model(str(folder)).model.id == "tiny"
    assert load_model("owner/name", source=ModelSource(tmp_path / "store")).model.id == "owner/name"
    assert load_model("bundled-fast").model.id == "castor-linear-es"


def test_unknown_names_say_what_to_do(tmp_path: Path) -> None:
    """A Hugging Face id that nobody exported names the command; anything else names the choices."""
    with pytest.raises(ModelArtifactError, match="python -m sentiment_service export owner/name"):
        load_model("owner/name", source=ModelSource(tmp_path))
    with pytest.raises(ModelArtifactError, match="'bundled', 'bundled-fast', a folder or a Hugging Face id"):
        load_model("nothing", source=ModelSource(tmp_path))


def test_runs_hold_one_length_within_the_budget() -> None:
    """Each text is in one run of texts of its length; no run of several exceeds the budget; short texts come first."""
    lengths = [3, 40, 5, 3, 60, 40, 39, 120, 40, 5]
    made = list(runs(lengths, budget=80))
    assert sorted(row for run in made for row in run) == list(range(len(lengths)))
    assert all(len({lengths[row] for row in run}) == 1 for run in made)
    assert all(len(run) == 1 or len(run) * lengths[run[0]] <= 80 for run in made)
    longest = [lengths[run[0]] for run in made]
    assert longest == [3, 5, 39, 40, 40, 60, 120]


def test_cpu_limit_is_at_least_one() -> None:
    """There is always a thread to run on."""
    assert cpu_limit() >= 1


def test_texts_as_other_models_read_them() -> None:
    """XLM-T reads handles and links only; RoBERTuito also hashtags and laughter in words of its own."""
    text = "@ana mira https://x.co/a #VamosColombia jajajaja holaaaaaa"
    assert handles(text) == "@user mira http #VamosColombia jajajaja holaaaaaa"
    assert robertuito(text) == "@usuario mira url hashtag Vamos Colombia jaja holaaa"


def test_scores_are_finite_for_any_text(folder: Path) -> None:
    """Blank texts, unknown words and control characters get probabilities too."""
    for scores in TransformerClassifier.load(folder).classify(["", "\x00\x07", "日本語", "a" * 5000]):
        assert math.isclose(scores.positive + scores.neutral + scores.negative, 1.0, abs_tol=1e-9)


def test_the_bundled_model_says_what_was_measured() -> None:
    """It is the transformer beside the linear model, in three languages, with held-out scores and a drift reference."""
    model = load_model("bundled", threads=1)
    assert isinstance(model, TransformerClassifier)
    assert model.blend is not None
    assert model.linear is not None
    assert model.model.languages == ("es", "en", "pt")
    assert model.model.held_out["validation_macro_f1"] >= 0.62
    assert model.model.calibration["cross_validated_expected_calibration_error"] <= 0.05
    assert sum(model.model.reference["labels"].values()) == pytest.approx(1, abs=1e-3)
    assert sum(model.model.reference["confidence"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Qué alegría tan grande, me encanta, felicitaciones a todos!", "positive"),
        ("Qué asco de corrupción, son unos ladrones y mentirosos", "negative"),
        ("La rueda de prensa es a las 10 en la sede", "neutral"),
        ("No me gusta nada este candidato", "negative"),
        ("Que tristeza esse governo, só mentira", "negative"),
    ],
)
def test_the_bundled_model_on_plain_cases(text: str, label: str) -> None:
    """Clear praise is positive, clear outrage negative, an announcement neutral, whatever runs beside it."""
    others = ["hola", "una frase mucho más larga que las demás, para que haya relleno en el lote de textos"]
    assert load_model("bundled", threads=1).classify([*others, text])[-1].label == label
