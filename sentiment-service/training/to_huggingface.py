"""Turn a packed model folder back into a Hugging Face folder with the same, dequantised weights.

    python training/to_huggingface.py --model sentiment_service/models/transformer --out HF [--run RUN]

Then `transformers.pipeline("text-classification", model="HF", trust_remote_code=True, top_k=None)` runs it in torch;
the network of `architecture.py` is copied into the folder. The pipeline reads texts as they are; give it
`sentiment_service.text.normalise.normalise(text)` to compare answers. The linear model's share is not in it, nor is the
head for targets. ``--run`` writes a run too, with every row of the head, from which `joint.py` trains on.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from architecture import MeanPooledBert  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.torch import save_file
from transformers import BertConfig, PreTrainedTokenizerFast

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import LABELS, REMEDY, softmax
from sentiment_service.classifiers.linear import LinearClassifier
from sentiment_service.classifiers.transformer import MODEL_FILE, TOKENIZER_FILE, TransformerClassifier
from tools.e5.graph import BLOCK

Array = NDArray[np.float32]
_TEXTS = (
    "Qué alegría, gracias a todos los que vinieron",
    "Qué tristeza, nos mintieron otra vez",
    "La rueda de prensa es a las 10",
    "No me arrepiento de haber votado por él, pero esperaba más",
)
WORDS = "bert.embeddings.word_embeddings.weight"
HEAD = ("classifier.weight", "classifier.bias")
# Int8 activations move a probability of a single text by less.
_TOLERANCE = 0.15


def tensors_of(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """Return the tensors of `MeanPooledBert`, dequantised."""
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    found = {
        WORDS: _table(held),
        "bert.embeddings.position_embeddings.weight": held["positions"],
        # The token type is folded into the positions.
        "bert.embeddings.token_type_embeddings.weight": np.zeros((2, held["positions"].shape[1]), dtype=np.float32),
        **_pair("bert.embeddings.LayerNorm", held["embed.weight"], held["embed.bias"]),
        **_pair("classifier", held["head.weight"], held["head.bias"]),
    }
    layer = 0
    while f"{layer}.qkv.b" in held:
        found |= _layer(held, layer)
        layer += 1
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in found.items()}


def _table(held: Mapping[str, Array]) -> Array:
    if "table.scale" not in held:
        return held["table"]
    nibbles = held["table"].astype(np.float32)
    blocks = nibbles.reshape(nibbles.shape[0], -1, BLOCK) * held["table.scale"][..., None]
    return np.asarray(blocks.reshape(nibbles.shape))


def _matrix(held: Mapping[str, Array], name: str) -> Array:
    """Return a matrix of shape (out, in)."""
    if f"{name}.w" in held:
        return held[f"{name}.w"].T
    weights = held[f"{name}.q"].astype(np.float32) * held[f"{name}.scale"]
    if f"{name}.smooth" in held:
        # What the graph divides the inputs by, the weights were multiplied by.
        weights *= held[f"{name}.smooth"][:, None]
    return np.asarray(weights.T)


def _pair(name: str, weight: Array, bias: Array) -> dict[str, Array]:
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def _layer(held: Mapping[str, Array], layer: int) -> dict[str, Array]:
    prefix = f"bert.encoder.layer.{layer}."
    found: dict[str, Array] = {}
    weights, biases = np.split(_matrix(held, f"{layer}.qkv"), 3), np.split(held[f"{layer}.qkv.b"], 3)
    for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
        found |= _pair(f"{prefix}attention.self.{part}", weight, bias)
    down = _matrix(held, f"{layer}.down")
    if f"{layer}.down.outliers" in held:
        down = np.concatenate([down, held[f"{layer}.down.outliers"].T], axis=1)
    found |= _pair(f"{prefix}attention.output.dense", _matrix(held, f"{layer}.out"), held[f"{layer}.out.b"])
    found |= _pair(f"{prefix}intermediate.dense", _matrix(held, f"{layer}.up"), held[f"{layer}.up.b"])
    found |= _pair(f"{prefix}output.dense", down, held[f"{layer}.down.b"])
    for ours, theirs in (("mid", "attention.output.LayerNorm"), ("end", "output.LayerNorm")):
        found |= _pair(prefix + theirs, held[f"{layer}.{ours}.weight"], held[f"{layer}.{ours}.bias"])
    return found


def write_run(folder: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write a run, as `finetune.save` does: without the word table, which training takes whole from e5."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor for name, tensor in tensors.items() if name != WORDS}, folder / "weights.safetensors")
    layers = sum(name.endswith("intermediate.dense.weight") for name in tensors)
    (folder / "config.json").write_text(json.dumps({"layers": layers}))


def config_of(tensors: Mapping[str, torch.Tensor], labels: list[str]) -> BertConfig:
    """Return the configuration that the tensors imply; a head has 32 units, as in e5-small."""
    words, hidden = tensors[WORDS].shape
    return BertConfig(
        vocab_size=words,
        hidden_size=hidden,
        num_hidden_layers=sum(name.endswith("intermediate.dense.weight") for name in tensors),
        num_attention_heads=hidden // 32,
        intermediate_size=tensors["bert.encoder.layer.0.intermediate.dense.weight"].shape[0],
        layer_norm_eps=1e-12,
        pad_token_id=1,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )


def greatest_difference(model: MeanPooledBert, folder: Path) -> float:
    """Return how far a probability of the torch network is from the packed one's, on a few texts of one batch each."""
    packed = TransformerClassifier.load(folder, linear=LinearClassifier.load())
    model.eval()
    differences = []
    for text in _TEXTS:
        ids = packed.tokenizer.encode([packed.prepare(text)])[0][0].ids
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits.double().numpy()
        columns = [packed.model.labels.index(label) for label in LABELS]
        differences.append(np.abs(softmax(logits[:, columns]) - softmax(packed.logits([text]))).max())
    return float(max(differences))


def main() -> None:
    """Read a model folder, write a Hugging Face folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", type=Path)
    options = parser.parse_args()
    artifacts = ModelFolder(options.model, REMEDY)
    manifest = artifacts.manifest()
    files = artifacts.files(manifest)
    tensors = tensors_of(onnx.load_from_string(files[MODEL_FILE]))
    if options.run is not None:
        write_run(options.run, tensors)
    model = MeanPooledBert(config_of(tensors, manifest["labels"]))
    model.load_state_dict(tensors | {name: tensors[name][: len(LABELS)] for name in HEAD})
    difference = greatest_difference(model, options.model)
    if difference > _TOLERANCE:
        raise SystemExit(f"a probability differs by {difference:.3f} from the packed model's: not the same weights")
    MeanPooledBert.register_for_auto_class("AutoModelForSequenceClassification")
    model.save_pretrained(options.out)
    (options.out / TOKENIZER_FILE).write_bytes(files[TOKENIZER_FILE])
    PreTrainedTokenizerFast(
        tokenizer_file=str(options.out / TOKENIZER_FILE),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=manifest["max_tokens"],
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(options.out)
    layers = model.config.num_hidden_layers
    print(json.dumps({"folder": str(options.out), "layers": layers, "greatest_difference": round(difference, 4)}))


if __name__ == "__main__":
    main()
