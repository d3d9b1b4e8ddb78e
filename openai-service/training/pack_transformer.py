"""Make the transformer's folder from multilingual-e5-small: fewer pieces, int8, centred vectors. Nothing is trained.

    python training/pack_transformer.py --texts FILE … [--out FOLDER] [--float FOLDER]

``--texts`` are files with a text a line, after a tab if the line has one. Their words stay in the vocabulary, the
grids of the int8 products are fitted to them, and so is the centre of the vectors. No test set belongs here.
 ``--float`` writes the same model in float32 too, to measure what int8 costs.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from tokenizers import Tokenizer

from castor_chassis import ModelFolder
from openai_service.embeddings.transformer import (
    MODEL,
    MODEL_FILE,
    NEUTRAL_FILE,
    REMEDY,
    TOKENIZER_FILE,
    Role,
    TransformerEncoder,
    prepare,
    runs,
    session,
)
from tools.e5 import graph, weights
from tools.e5.vocabulary import kept_pieces

Array = graph.Array
MAX_TOKENS = 512
PRECISION = graph.Precision(outliers=128, smoothed=frozenset({"qkv", "out", "up", "down"}), exponent=0.7)
ROLES: tuple[Role, ...] = ("query", "passage")
# How many texts fit the grids, and the centre.
SHOWN, PLACED = 1500, 3000
WORDS = "bert.embeddings.word_embeddings.weight"


def lines(files: Iterable[Path]) -> list[str]:
    """Return the prepared texts of the files, each once."""
    found = (line.split("\t")[-1] for file in files for line in file.read_text("utf-8").splitlines())
    return [text for text in dict.fromkeys(map(prepare, found)) if text]


def encoder(model: onnx.ModelProto, tokenizer: Tokenizer) -> TransformerEncoder:
    """Return an encoder that runs the model."""
    neutral = np.zeros(model.graph.output[0].type.tensor_type.shape.dim[1].dim_value, dtype=np.float32)
    return TransformerEncoder("", "", tokenizer, session(model.SerializeToString()), neutral, frozenset())


def ranges_of(made: onnx.ModelProto, tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, tuple[Array, Array]]:
    """Return the least and the greatest value of each input of the products of a float model, on some texts."""
    model = onnx.ModelProto()
    model.CopyFrom(made)
    products = {
        node.output[0].removesuffix(".product"): node.input[0] for node in model.graph.node if node.op_type == "MatMul"
    }
    inputs = {name: given for name, given in products.items() if name.split(".")[0].isdigit()}
    model.graph.output.extend(onnx.helper.make_tensor_value_info(given, 1, None) for given in set(inputs.values()))
    reader, found = encoder(model, tokenizer), dict[str, tuple[Array, Array]]()
    ids = [tokens for role in ROLES for tokens in reader.read(texts, role)]
    for rows in runs(ids):
        feed = {"input_ids": np.array([ids[row] for row in rows], dtype=np.int64)}
        for name, values in zip(inputs, reader.session.run(list(inputs.values()), feed), strict=True):
            low, high = found.get(name, (np.inf, -np.inf))
            found[name] = np.minimum(low, values.min((0, 1))), np.maximum(high, values.max((0, 1)))
    return found


def centre_of(made: TransformerEncoder, texts: Sequence[str]) -> tuple[Array, Array]:
    """Return the mean of the vectors of both roles, and the axis along which the centred ones vary least."""
    found = [made.encode(texts, role) for role in ROLES]
    centre = np.mean([vectors.mean(axis=0) for vectors in found], axis=0)
    moved = (np.concatenate(found) - centre).astype(np.float64)
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    least = np.linalg.eigh(moved.T @ moved)[1][:, 0]
    return centre.astype(np.float32), (least * np.sign(least[np.abs(least).argmax()])).astype(np.float32)


def write_folder(folder: Path, model: onnx.ModelProto, tokenizer: Tokenizer, neutral: Array, version: str) -> None:
    """Write the files and the manifest with their sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, str(folder / MODEL_FILE))
    compact = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    (folder / TOKENIZER_FILE).write_text(compact, encoding="utf-8")
    np.save(folder / NEUTRAL_FILE, neutral)
    members = {"model": MODEL, "version": version, "dimensions": len(neutral), "max_tokens": MAX_TOKENS}
    ModelFolder(folder, REMEDY).write_manifest(members, (MODEL_FILE, TOKENIZER_FILE, NEUTRAL_FILE))


def build(source: weights.E5, tensors: Mapping[str, Array], **how: Any) -> onnx.ModelProto:
    """Return the model of the tensors; ``how`` is of `graph.build`."""
    fixed = {"heads": source.sizes.heads, "epsilon": source.sizes.epsilon, "ending": graph.embed, "masked": False}
    fixed |= {"precision": PRECISION}
    return graph.build(tensors, **fixed, **how)


def main() -> None:
    """Read the options and write the folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parent
    parser.add_argument("--texts", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, default=here.parent / "openai_service" / "models" / "transformer")
    parser.add_argument("--float", type=Path)
    parser.add_argument("--version", default="1.0.0")
    options = parser.parse_args()
    texts = lines(options.texts)
    source = weights.read(weights.installed())
    kept = kept_pieces(source.pieces, texts)
    tokenizer = weights.tokenizer([source.pieces[number] for number in kept], MAX_TOKENS)
    tensors = {f"bert.{name}": tensor for name, tensor in source.tensors.items()}
    tensors |= {WORDS: tensors[WORDS][kept], "centre": np.zeros(source.sizes.hidden, np.float32)}
    random.Random(0).shuffle(texts)
    ranges = ranges_of(build(source, tensors, quantised=False, peaks={}), tokenizer, texts[:SHOWN])
    peaks = {name: np.maximum(-low, high) for name, (low, high) in ranges.items()}
    exact = {"quantised": True, "peaks": peaks, "ranges": ranges}
    tensors["centre"], neutral = centre_of(encoder(build(source, tensors, **exact), tokenizer), texts[:PLACED])
    write_folder(options.out, build(source, tensors, **exact), tokenizer, neutral, options.version)
    if options.float is not None:
        made = build(source, tensors, quantised=False, peaks={})
        write_folder(options.float, made, tokenizer, neutral, options.version)
    written = sum(file.stat().st_size for file in options.out.iterdir())
    print(json.dumps({"pieces": len(kept), "texts": len(texts), "megabytes": round(written / 1e6, 1)}))


if __name__ == "__main__":
    main()
