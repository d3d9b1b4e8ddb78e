"""Tiny models in the layouts that Hugging Face repositories have: tokenizer, ``config.json`` and network, by hand.

The logits of a text are the sums over its words. `bueno` speaks for the last label of a model, `malo` for the first,
`mesa` for the one in the middle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sentencepiece import sentencepiece_model_pb2
from tiny_model import write_network  # type: ignore[import-not-found]
from tokenizers import Tokenizer, models, pre_tokenizers, processors

_WORDS = ("bueno", "malo", "mesa")


class Layout(NamedTuple):
    """How repositories of one kind look: their tokenizer's files, and what their configuration says."""

    write_tokenizer: Callable[[Path], list[str]]
    """Writes the files and returns the vocabulary by id."""
    config: Mapping[str, Any]
    inputs: Sequence[str] = ("input_ids", "attention_mask")


def _bert(folder: Path) -> list[str]:
    """A list of words, as nlptown/bert-base-multilingual-uncased-sentiment has."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    return vocabulary


def _roberta(folder: Path) -> list[str]:
    """A ``tokenizer.json`` of a class of its own, as pysentimiento/robertuito-sentiment-analysis has."""
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *_WORDS]
    ids = {word: number for number, word in enumerate(vocabulary)}
    made = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(word, ids[word]) for word in ("<s>", "</s>")]
    )
    made.save(str(folder / "tokenizer.json"))
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 16, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return vocabulary


def _xlm_roberta(folder: Path) -> list[str]:
    """A SentencePiece model and nothing else, as cardiffnlp/twitter-xlm-roberta-base-sentiment has."""
    made = sentencepiece_model_pb2.ModelProto()
    made.trainer_spec.model_type = 1  # unigram
    made.normalizer_spec.add_dummy_prefix = True
    kinds = {"<unk>": 2, "<s>": 3, "</s>": 3}
    for piece in (*kinds, *(f"▁{word}" for word in _WORDS)):
        made.pieces.add(piece=piece, score=-1.0, type=kinds.get(piece, 1))
    (folder / "sentencepiece.bpe.model").write_bytes(made.SerializeToString())
    return ["<s>", "<pad>", "</s>", "<unk>", *(f"▁{word}" for word in _WORDS), "<mask>"]


LAYOUTS = {
    "bert": Layout(
        _bert,
        {"model_type": "bert", "pad_token_id": 0, "max_position_embeddings": 32},
        ("input_ids", "attention_mask", "token_type_ids"),
    ),
    "roberta": Layout(_roberta, {"model_type": "roberta", "pad_token_id": 1, "max_position_embeddings": 130}),
    "xlm-roberta": Layout(
        _xlm_roberta, {"model_type": "xlm-roberta", "pad_token_id": 1, "max_position_embeddings": 34}
    ),
}
NAMES = ("NEG", "NEU", "POS")


def write_pretrained(
    folder: Path,
    layout: str = "roberta",
    names: Sequence[str] = NAMES,
    *,
    onnx: str = "model.onnx",
    **changes: Any,
) -> Path:
    """Write a model whose outputs have ``names``; ``changes`` are members of its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = LAYOUTS[layout]
    vocabulary = kind.write_tokenizer(folder)
    config = {**kind.config, "id2label": {str(number): name for number, name in enumerate(names)}, **changes}
    (folder / "config.json").write_text(json.dumps(config))
    write_network(folder / onnx, table_of(vocabulary, len(names)), kind.inputs)
    return folder


def table_of(vocabulary: Sequence[str], outputs: int) -> list[list[float]]:
    """Return the logits that each word of the vocabulary adds: `malo` first, `mesa` in the middle, `bueno` last."""
    place = {"malo": 0, "mesa": outputs // 2, "bueno": outputs - 1}
    rows = [[0.0] * outputs for _ in vocabulary]
    for row, word in zip(rows, vocabulary, strict=True):
        if word in ("[PAD]", "<pad>"):
            row[0] = 50.0  # would show in the sums if the mask were not heeded
        elif (plain := word.removeprefix("▁")) in place:
            row[place[plain]] = 3.0
    return rows
