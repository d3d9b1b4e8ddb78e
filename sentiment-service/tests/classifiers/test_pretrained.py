"""Models in the layouts of Hugging Face: transformers reads tokenizer and configuration, ONNX Runtime computes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pretrained_model import LAYOUTS, NAMES, write_pretrained  # type: ignore[import-not-found]
from tiny_model import move_weights_out, write_network  # type: ignore[import-not-found]

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.base import LABELS, Classifier, TextSize
from sentiment_service.classifiers.loader import load_model
from sentiment_service.classifiers.pretrained import Defaults
from sentiment_service.classifiers.tokenization import PretrainedTokenizer
from sentiment_service.classifiers.transformer import TransformerClassifier

STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
TEXTS = ["mesa bueno bueno malo", "malo", "", "bueno", "mesa mesa", "algo desconocido"]


def loaded(folder: Path, **given: Any) -> TransformerClassifier:
    """Return the model in ``folder``."""
    model = load_model(str(folder), threads=1, **given)
    assert isinstance(model, TransformerClassifier)
    return model


def labels(model: Classifier, *texts: str) -> list[str]:
    """Return the label of each text."""
    return [scores.label for scores in model.classify(texts)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("names", [NAMES, STARS])
def test_each_layout_answers_what_its_network_says(tmp_path: Path, layout: str, names: tuple[str, ...]) -> None:
    """Whatever files the tokenizer has and whatever the outputs are called, each text gets its label."""
    model = loaded(write_pretrained(tmp_path / "model", layout, names))
    assert labels(model, "bueno", "malo", "mesa", "bueno bueno malo", "") == [
        "positive", "negative", "neutral", "positive", "neutral",
    ]  # fmt: skip
    for scores in model.classify(TEXTS):
        assert sum(getattr(scores, label) for label in LABELS) == pytest.approx(1)


def test_outputs_of_one_label_add_up(tmp_path: Path) -> None:
    """The probability of a label is the sum over the stars that mean it."""
    (scores,) = loaded(write_pretrained(tmp_path / "model", "bert", STARS)).classify(["una cosa"])
    assert [scores.negative, scores.neutral, scores.positive] == pytest.approx([0.4, 0.2, 0.4])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_batch_answers_like_one_text_a_call(tmp_path: Path, layout: str) -> None:
    """Padding changes nothing."""
    model = loaded(write_pretrained(tmp_path / "model", layout))
    alone = [model.classify([text])[0] for text in TEXTS]
    for one, other in zip(model.classify(TEXTS), alone, strict=True):
        assert [one.positive, one.neutral] == pytest.approx([other.positive, other.neutral])


def test_transformers_reads_tokenizer_and_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both come from the classes that choose by the folder's contents; none of its code is run, nothing is fetched."""
    import transformers

    folder = write_pretrained(tmp_path / "model", "xlm-roberta")
    calls: dict[str, tuple[str, dict[str, Any]]] = {}
    for of in (transformers.AutoTokenizer, transformers.AutoConfig):
        name, real = of.__name__, of.from_pretrained

        def read(path: str, name: str = name, real: Any = real, **given: Any) -> Any:
            calls[name] = path, given
            return real(path, **given)

        monkeypatch.setattr(of, "from_pretrained", read)
    tokenizer = loaded(folder).tokenizer
    assert isinstance(tokenizer, PretrainedTokenizer)
    assert type(tokenizer.tokenizer) is transformers.XLMRobertaTokenizer
    asked = str(folder), {"local_files_only": True, "trust_remote_code": False}
    assert calls == {"AutoTokenizer": asked, "AutoConfig": asked}


def test_bundled_models_do_not_import_transformers() -> None:
    """The service and both bundled models load and answer without transformers, the hub's client and torch."""
    program = """
import sys
import sentiment_service.__main__
from sentiment_service.classifiers.hub import ONNX_FILES
from sentiment_service.classifiers.loader import load_model
for name in ("bundled", "bundled-fast"):
    load_model(name, threads=1).classify(["hola"])
print([name for name in ("transformers", "huggingface_hub", "sentencepiece", "torch") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("layout", "changes", "longest"),
    [
        ("bert", {}, 32),  # by its positions
        ("xlm-roberta", {}, 32),  # by its positions, of which RoBERTa leaves two unused
        ("roberta", {}, 16),  # by its tokenizer
        ("roberta", {"max_position_embeddings": 10}, 8),  # by the less of both
    ],
)
def test_texts_beyond_the_longest_length_are_read_in_windows(
    tmp_path: Path, layout: str, changes: dict[str, Any], longest: int
) -> None:
    """The longest window is what tokenizer and configuration say; what is beyond it is read in further windows."""
    model = loaded(write_pretrained(tmp_path / "model", layout, **changes))
    fits = "malo " * (longest - 2)
    assert model.sizes([fits, fits + "bueno", "mesa"]) == [
        TextSize(longest, 1),
        TextSize(longest + 3, 2),
        TextSize(3, 1),
    ]
    assert model.classify([fits + "bueno " * (longest - 2) * 3])[0].label == "positive"


def test_a_manifest_beside_it_is_heeded(tmp_path: Path) -> None:
    """What `export` states beside the configuration holds, and the listed files are checked."""
    folder = write_pretrained(tmp_path / "model")
    stated = {"id": "owner/name", "version": "7", "languages": ["es", "pt"], "prepare": "none", "max_tokens": 5}
    files = tuple(path.name for path in folder.iterdir())
    ModelFolder(folder, "").write_manifest(stated, files)
    model = loaded(folder)
    assert (model.model.id, model.model.version, model.model.languages) == ("owner/name", "7", ("es", "pt"))
    assert model.sizes(["mesa " * 3, "mesa " * 4]) == [TextSize(5), TextSize(5 + 3, 2)]
    assert model.prepare("@ana") == "@ana"
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    with pytest.raises(ModelArtifactError, match="config.json"):
        load_model(str(folder))


def test_the_version_changes_with_whatever_changes_scores(tmp_path: Path) -> None:
    """Network, labels and longest text are in the version; two loads of one folder have the same."""
    model = loaded(write_pretrained(tmp_path / "model"))
    assert loaded(tmp_path / "model").model == model.model
    assert model.model.id == "model"
    others = [
        loaded(write_pretrained(tmp_path / "stars", names=STARS)),
        loaded(write_pretrained(tmp_path / "turned", names=NAMES[::-1])),
        loaded(write_pretrained(tmp_path / "short", max_position_embeddings=12)),
    ]
    assert len({one.model.version for one in (model, *others)}) == 4


def test_another_tokenizer_is_another_version(tmp_path: Path) -> None:
    """The same network reads other words where their numbers changed, so scores of both do not compare."""
    folder = write_pretrained(tmp_path / "model")
    before = loaded(folder)
    words = folder / "tokenizer.json"
    turned = words.read_text().replace("bueno", "@").replace("malo", "bueno").replace("@", "malo")
    words.write_text(turned)
    after = loaded(folder)
    assert labels(before, "bueno") != labels(after, "bueno")
    assert before.model.version != after.model.version


def test_what_the_folder_does_not_say_comes_from_the_settings(tmp_path: Path) -> None:
    """Labels that the configuration does not name, and languages, are what the caller states."""
    folder = write_pretrained(tmp_path / "model", names=("LABEL_0", "LABEL_1", "LABEL_2"))
    with pytest.raises(ModelArtifactError, match="SENTIMENT_LABELS"):
        load_model(str(folder))
    stated = Defaults(labels=("positive", "neutral", "negative"), languages=("en",))
    model = loaded(folder, defaults=stated)
    assert labels(model, "bueno", "malo") == ["negative", "positive"]
    assert model.model.languages == ("en",)
    assert model.model.measured_languages == ()


@pytest.mark.parametrize(
    "place", ["model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx"]
)
def test_where_the_network_may_be(tmp_path: Path, place: str) -> None:
    """The network is found where optimum and transformers.js write it."""
    assert labels(loaded(write_pretrained(tmp_path / "model", onnx=place)), "bueno") == ["positive"]


def test_weights_may_be_in_a_file_of_their_own(tmp_path: Path) -> None:
    """A network with its weights beside it is loaded, and a change of them is a new version."""
    folder = write_pretrained(tmp_path / "model")
    version = loaded(folder).model.version
    move_weights_out(folder / "model.onnx")
    model = loaded(folder)
    assert labels(model, "bueno", "malo", "mesa") == ["positive", "negative", "neutral"]
    assert model.model.version != version
    weights = folder / "model.onnx_data"
    weights.write_bytes(weights.read_bytes()[::-1])
    assert loaded(folder).model.version not in (version, model.model.version)


def needs_more(folder: Path) -> None:
    """Have the network ask for an input that no tokenizer gives."""
    write_network(folder / "model.onnx", [[0.0] * 3] * 7, ("input_ids", "attention_mask", "position_ids"))


def has_another_task(folder: Path) -> None:
    """Have the network answer token by token."""
    write_network(folder / "model.onnx", [[0.0] * 3] * 7, ("input_ids", "attention_mask"), pooled=False)


def has_fewer_outputs(folder: Path) -> None:
    """Have the network answer two numbers."""
    write_network(folder / "model.onnx", [[0.0] * 2] * 7, ("input_ids", "attention_mask"))


def configure(**members: Any) -> Callable[[Path], object]:
    """Change members of the configuration."""

    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **members}))

    return change


def state(**members: Any) -> Callable[[Path], object]:
    """Put a manifest of these members beside the network."""
    return lambda folder: ModelFolder(folder, "").write_manifest({"id": "a/b", "version": "1", **members}, ())


def without_padding(folder: Path) -> None:
    """Take the padding token from the tokenizer."""
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), "has no ONNX file .*python -m sentiment_service export"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"no network"), "model.onnx .* cannot be used"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "transformers cannot read the tokenizer"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "transformers cannot read the tokenizer"),
        (lambda folder: (folder / "config.json").write_text("{"), "transformers cannot read the tokenizer"),
        (configure(model_type="never-heard-of"), "transformers cannot read the tokenizer or configuration"),
        (configure(problem_type="multi_label_classification"), "one of multi_label_classification"),
        (configure(id2label={"0": "NEGATIVE", "1": "POSITIVE"}), "labels are NEGATIVE, POSITIVE"),
        (without_padding, "has no padding token"),
        (state(prepare="shout"), "prepares texts by 'shout', not by one of castor"),
        (state(max_tokens="many"), "says max_tokens 'many'"),
        (needs_more, "needs the inputs position_ids, which the tokenizer does not give"),
        (has_another_task, r"answers one text with shape \(1, \d, 3\), expected \(1, 3\)"),
        (has_fewer_outputs, r"answers one text with shape \(1, 2\), expected \(1, 3\)"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, damage: Callable[[Path], object], sentence: str) -> None:
    """Whatever is missing or wrong in the folder is one ModelArtifactError that says what."""
    folder = write_pretrained(tmp_path / "model")
    damage(folder)
    with pytest.raises(ModelArtifactError, match=sentence):
        load_model(str(folder))


def test_code_in_the_folder_is_never_run(tmp_path: Path) -> None:
    """A repository that brings its own Python is refused, and its Python is not run."""
    folder = write_pretrained(tmp_path / "model")
    configure(model_type="theirs", auto_map={"AutoConfig": "theirs.Config"})(folder)
    (folder / "theirs.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: ...\n")
    with pytest.raises(ModelArtifactError, match="transformers cannot read the tokenizer or configuration"):
        load_model(str(folder))
    assert not (tmp_path / "ran").exists()


def test_many_threads_at_a_time(tmp_path: Path) -> None:
    """A loaded model does not change while it answers, so threads may share it."""
    model = loaded(write_pretrained(tmp_path / "model", "xlm-roberta"))
    expected = model.classify(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: (model.sizes(TEXTS), model.classify(TEXTS)), range(200)))
    assert all(answer == (model.sizes(TEXTS), expected) for answer in answers)
