"""The export of a model from torch, where the group 'training' is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pretrained_model import write_pretrained  # type: ignore[import-not-found]

from castor_chassis import ModelArtifactError
from sentiment_service.classifiers.export import ExportOptions, export, main, replacing
from sentiment_service.classifiers.loader import load_model
from sentiment_service.classifiers.tokenization import PretrainedTokenizer
from sentiment_service.classifiers.transformer import TransformerClassifier

STATED = ExportOptions(version="1", prepare="none", labels=("positive", "neutral", "negative"))


def test_export_of_a_hugging_face_model(tmp_path: Path) -> None:
    """A Hugging Face folder becomes a model folder that loads by name and answers like the original within int8."""
    pytest.importorskip("torch", reason="export needs `uv sync --group training`")
    pytest.importorskip("onnxscript", reason="export needs `uv sync --group training`")
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "aeiou")]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        id2label={0: "NEG", 1: "NEU", 2: "POS"},
        label2id={"NEG": 0, "NEU": 1, "POS": 2},
    )
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / "hub")
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "hub")
    options = ExportOptions(version="1", prepare="handles", max_tokens=64)
    farthest = export(str(tmp_path / "hub"), tmp_path / "out", options)
    assert farthest < 0.15
    model = load_model(str(tmp_path / "out")).model
    assert model.labels == ("negative", "neutral", "positive")
    assert model.id == "hub"


def network(folder: Path, **changes: Any) -> Path:
    """Write a small RoBERTa with weights for torch, whose outputs are `LABEL_0` to `LABEL_2` unless ``changes`` say."""
    pytest.importorskip("torch", reason="export needs `uv sync --group training`")
    pytest.importorskip("onnxscript", reason="export needs `uv sync --group training`")
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    write_pretrained(folder, **{"names": ("LABEL_0", "LABEL_1", "LABEL_2"), "vocab_size": 7, **sizes, **changes})
    config = transformers.AutoConfig.from_pretrained(folder)
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return folder


def test_labels_that_the_model_does_not_name_are_stated_at_the_export(tmp_path: Path) -> None:
    """With stated labels `LABEL_0` to `LABEL_2` are exported under them, and transformers loads what was written."""
    folder, out = network(tmp_path / "hub"), tmp_path / "out"
    with pytest.raises(ModelArtifactError, match="LABEL_0"):
        export(str(folder), out, ExportOptions(version="1", prepare="none"))
    export(str(folder), out, STATED)
    model = load_model(str(out))
    assert isinstance(model, TransformerClassifier)
    assert isinstance(model.tokenizer, PretrainedTokenizer)
    assert model.outputs == ("positive", "neutral", "negative")
    assert model.sizes(["mesa " * 14])[0].tokens == 16
    assert model.sizes(["mesa " * 15])[0].windows == 2


def written(out: Path, name: str) -> None:
    """Write a folder as the export does."""
    with replacing(out) as made:
        (made / name).write_text("{}")
        if name == "wrong":
            raise ModelArtifactError("does not stand int8")


def test_an_export_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """What fails leaves what was there; an earlier export is replaced, and nothing else is."""
    out = tmp_path / "models" / "out"
    with pytest.raises(ModelArtifactError, match="int8"):
        written(out, "wrong")
    assert list(out.parent.iterdir()) == []
    written(out, "manifest.json")
    with pytest.raises(ModelArtifactError, match="int8"):
        written(out, "wrong")
    assert [one.name for one in out.iterdir()] == ["manifest.json"]
    written(out, "other")
    assert [one.name for one in out.iterdir()] == ["other"]
    with pytest.raises(ModelArtifactError, match="something else than an earlier export"):
        written(out, "manifest.json")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"problem_type": "regression"}, "one of regression"),
        ({"names": ("NEGATIVE", "POSITIVE")}, "choose another"),
        ({"model_type": "unheard-of"}, "cannot be read"),
    ],
)
def test_what_cannot_be_exported_is_said(tmp_path: Path, changes: Mapping[str, Any], sentence: str) -> None:
    """Another kind of network, two labels, an unknown architecture: a sentence says it, and no folder is left."""
    folder = network(tmp_path / "hub", **{key: changes[key] for key in changes if key != "model_type"})
    changed(folder / "config.json", {key: changes[key] for key in changes if key == "model_type"})
    with pytest.raises(ModelArtifactError, match=sentence):
        export(str(folder), tmp_path / "out", ExportOptions(version="1", prepare="none"))
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_without_a_padding_token_is_said(tmp_path: Path) -> None:
    """As the service says it of a folder."""
    folder = network(tmp_path / "hub")
    changed(folder / "tokenizer_config.json", {"pad_token": None})
    with pytest.raises(ModelArtifactError, match="no padding token; set pad_token"):
        export(str(folder), tmp_path / "out", STATED)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no/such/folder", "--out", "x"], "There is no model folder no/such/folder"),
        ([str(Path(__file__).parent), "--out", "x"], "has no config.json: it holds no Hugging Face model"),
        (["owner/name", "--out", str(Path(__file__).parent)], "something else than an earlier export"),
        (["hub", "--out", "x", "--max-tokens", "0"], "0 is no number of at least 8 tokens"),
    ],
)
def test_a_wrong_command_line_ends_with_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is neither a folder nor an id, a folder of something else, a place in use, a length of nothing."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert sentence in f"{ended.value} {capsys.readouterr().err}"


def changed(path: Path, members: Mapping[str, Any]) -> None:
    """Change members of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))
