"""A model folder small enough to write in a test: the logits of a text are the sums over its words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, load_model, numpy_helper, save_model
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from castor_chassis import ModelFolder

PAD = 0
# Logits of positive, neutral and negative.
WORDS: dict[str, tuple[float, float, float]] = {
    "<pad>": (9, 9, 9),  # would show in the sums if the mask were not heeded
    "<unk>": (0, 0, 0),
    "<s>": (0, 1, 0),
    "</s>": (0, 0, 0),
    "bueno": (3, 0, 0),
    "malo": (0, 0, 3),
    "mesa": (0, 2, 0),
}


def write_tiny(folder: Path, **changes: Any) -> Path:
    """Write the model into ``folder``; ``changes`` replace entries of its manifest.

    With ``towards`` the network has three more outputs, which say the opposite of the first three.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = [row + row[::-1] if "towards" in changes else row for row in WORDS.values()]
    write_network(folder / "model.onnx", table, ("input_ids", "attention_mask"))
    _tokenizer().save(str(folder / "tokenizer.json"))
    manifest: dict[str, Any] = {
        "id": "tiny",
        "version": "1",
        "languages": ["es"],
        "labels": ["positive", "neutral", "negative"],
        "prepare": "castor",
        "max_tokens": 16,
        "pad_id": PAD,
        "held_out": {"macro_f1": 1.0},
    }
    ModelFolder(folder, "").write_manifest(manifest | changes, ("model.onnx", "tokenizer.json"))
    return folder


def _tokenizer() -> Tokenizer:
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> $B </s>",
        special_tokens=[("<s>", vocabulary["<s>"]), ("</s>", vocabulary["</s>"])],
    )
    return made


def write_network(path: Path, table: Sequence[Sequence[float]], inputs: Sequence[str], *, pooled: bool = True) -> None:
    """Write a network whose logits are the sums of the rows of ``table`` (by id) where the mask is 1.

    ``inputs`` are the names of its inputs; those beyond ids and mask are read and change nothing. Unless ``pooled`` it
    answers a row for each token, as a network of another task does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = numpy_helper.from_array(np.array(table, dtype=np.float32), "table")
    last, tokens = (numpy_helper.from_array(np.array([axis]), name) for axis, name in ((2, "last"), (1, "tokens")))
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["words", "wide"], ["heeded" if pooled else "logits"]),
    ]
    if pooled:
        nodes.append(helper.make_node("ReduceSum", ["heeded", "tokens"], ["logits"], keepdims=0))
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "length"]) for name in inputs]
    shape = ["texts", len(table[0])] if pooled else ["texts", "length", len(table[0])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "tiny", given, outputs, [rows, last, tokens])
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))


def move_weights_out(network: Path) -> None:
    """Write the weights of a network into a file of their own beside it, as large networks have them."""
    save_model(
        load_model(str(network)),
        str(network),
        save_as_external_data=True,
        location=f"{network.name}_data",
        size_threshold=64,  # the axes stay, the weights go
    )
