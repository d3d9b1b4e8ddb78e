"""The export of a model from torch, where the group 'training' is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pretrained_model import write_pretrained  # type: ignore[import-not-found]

from castor_chassis import ModelArtifactError
from sentiment_service.classifiers.export import ExportOptions, export
from sentiment_service.classifiers.loader import load_model
from sentiment_service.classifiers.tokenization import PretrainedTokenizer
from sentiment_service.classifiers.transformer import TransformerClassifier


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


def test_labels_that_the_model_does_not_name_are_stated_at_the_export(tmp_path: Path) -> None:
    """With stated labels `LABEL_0` to `LABEL_2` are exported under them, and transformers loads what was written."""
    pytest.importorskip("torch", reason="export needs `uv sync --group training`")
    pytest.importorskip("onnxscript", reason="export needs `uv sync --group training`")
    transformers = pytest.importorskip("transformers")
    folder = write_pretrained(tmp_path / "hub", names=("LABEL_0", "LABEL_1", "LABEL_2"), hidden_size=32, vocab_size=7)
    sizes = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.AutoConfig.from_pretrained(folder, **sizes)
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    options = ExportOptions(version="1", prepare="none", labels=("positive", "neutral", "negative"))
    with pytest.raises(ModelArtifactError, match="LABEL_0"):
        export(str(folder), tmp_path / "out", ExportOptions(version="1", prepare="none"))
    export(str(folder), tmp_path / "out", options)
    model = load_model(str(tmp_path / "out"))
    assert isinstance(model, TransformerClassifier)
    assert isinstance(model.tokenizer, PretrainedTokenizer)
    assert model.outputs == ("positive", "neutral", "negative")
    assert model.sizes(["mesa " * 14])[0].tokens == 16
    assert model.sizes(["mesa " * 15])[0].windows == 2
