"""Give the int8 products of a packed network fixed grids, so that a text's scores do not depend on the texts beside it.

    python training/fix_grids.py --model FOLDER --texts FILE ... [--pairs FILE ...] --out FOLDER --version 1.1.0

`pack.py` writes products that scale their inputs by the least and the greatest value of the whole run (dynamic
quantisation). This reads such a folder and writes one whose products have a step and a zero of their own: the range of
each input over ``--texts`` (a text a line, after a tab if the line has one; none that measures the model), read with
float32 activations. The int8 weights stay as they are. Neither torch nor the training runs are needed. ``--pairs`` are
files of `target TAB text`, which a model that answers towards targets reads too.
"""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import tokenizers
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import REMEDY
from sentiment_service.classifiers.onnx_runtime import runs, session
from sentiment_service.classifiers.tokenization import FileTokenizer
from sentiment_service.classifiers.transformer import MODEL_FILE, PREPARE, TOKENIZER_FILE
from sentiment_service.text.marking import marked
from sentiment_service.text.normalise import normalise

Array = NDArray[np.float32]
Range = tuple[float, float]
_DYNAMIC = "DynamicQuantizeMatMul"
_FIXED = "MatMulIntegerToFloat"
_CONTRIB = "com.microsoft"
_LEVELS = 255


def products(model: ModelProto) -> list[NodeProto]:
    """Return the products that scale their inputs as they come: inputs are values, weights, scales, (none), bias."""
    return [node for node in model.graph.node if node.op_type == _DYNAMIC]


def replaced(model: ModelProto, nodes: Mapping[str, Sequence[NodeProto]], constants: Sequence[TensorProto]) -> None:
    """Put other nodes in the place of those that make the named values, and add constants."""
    kept = [new for node in model.graph.node for new in nodes.get(node.output[0], [node])]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(constants)


def with_float_activations(model: ModelProto) -> ModelProto:
    """Return the network with its int8 weights as float32, so that no activation is rounded."""
    made, nodes, constants = _copy(model), dict[str, list[NodeProto]](), list[TensorProto]()
    known = {one.name: one for one in model.graph.initializer}
    for node in products(model):
        given, matrix, scale, _, bias = [*node.input, "", ""][:5]
        name = f"{node.output[0]}.float"
        weights = numpy_helper.to_array(known[matrix]).astype(np.float32) * numpy_helper.to_array(known[scale])
        constants.append(numpy_helper.from_array(weights, name))
        if bias:
            product = helper.make_node("MatMul", [given, name], [f"{name}.product"])
            nodes[node.output[0]] = [product, helper.make_node("Add", [f"{name}.product", bias], node.output)]
        else:
            nodes[node.output[0]] = [helper.make_node("MatMul", [given, name], node.output)]
    replaced(made, nodes, constants)
    return made


def encoded(
    tokenizer: FileTokenizer, texts: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> list[tokenizers.Encoding]:
    """Return the windows of prepared texts, and of pairs of target and text."""
    marked_pairs = [(normalise(target), marked(text, target)) for target, text in pairs]
    return [one for windows in (*tokenizer.encode(texts), *tokenizer.encode_pairs(marked_pairs)) for one in windows]


def ranges_of(
    model: ModelProto, tokenizer: FileTokenizer, encodings: Sequence[tokenizers.Encoding]
) -> dict[str, Range]:
    """Return the least and the greatest value of each input of the products, over encodings."""
    inputs = sorted({node.input[0] for node in products(model)})
    plain = with_float_activations(model)
    plain.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in inputs)
    network, found = session(plain.SerializeToString(), 1), dict.fromkeys(inputs, (0.0, 0.0))
    for rows in runs([len(encoding) for encoding in encodings]):
        arrays = tokenizer.arrays([encodings[row] for row in rows])
        feed = {entry.name: arrays[entry.name] for entry in network.get_inputs()}
        for name, values in zip(inputs, network.run(inputs, feed), strict=True):
            low, high = found[name]
            found[name] = min(low, float(values.min())), max(high, float(values.max()))
    return found


def with_fixed_grids(model: ModelProto, ranges: Mapping[str, Range]) -> ModelProto:
    """Return the network whose products round their inputs to 256 levels over their ranges."""
    made, nodes, constants = _copy(model), dict[str, list[NodeProto]](), list[TensorProto]()
    for node in products(model):
        given, matrix, scale, _, bias = [*node.input, "", ""][:5]
        step, zero, levels = (f"{node.output[0]}.{part}" for part in ("step", "zero", "levels"))
        low, high = ranges[given]
        width = (high - low) / _LEVELS
        constants.append(numpy_helper.from_array(np.array(width, dtype=np.float32), step))
        constants.append(numpy_helper.from_array(np.array(round(-low / width), dtype=np.uint8), zero))
        inputs = [levels, matrix, step, scale, zero, "", bias]
        nodes[node.output[0]] = [
            helper.make_node("QuantizeLinear", [given, step, zero], [levels]),
            helper.make_node(_FIXED, inputs, node.output, domain=_CONTRIB),
        ]
    replaced(made, nodes, constants)
    return made


def _copy(model: ModelProto) -> ModelProto:
    made = ModelProto()
    made.CopyFrom(model)
    return made


def _read(files: Sequence[Path]) -> list[str]:
    lines = (line.split("\t")[-1] for file in files for line in file.read_text("utf-8").splitlines())
    return list(dict.fromkeys(lines))


def main() -> None:
    """Read the options and write the folder; scores in the manifest stay until `measure.py` replaces them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--texts", type=Path, nargs="+", required=True)
    parser.add_argument("--pairs", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    manifest = ModelFolder(options.model, REMEDY).manifest()
    tokenizer = FileTokenizer.parse(
        (options.model / TOKENIZER_FILE).read_text("utf-8"),
        max_tokens=int(manifest["max_tokens"]),
        pad_id=int(manifest["pad_id"]),
    )
    model = onnx.load(str(options.model / MODEL_FILE))
    texts = [PREPARE[manifest["prepare"]](text) for text in _read(options.texts)]
    lines = (line for file in options.pairs for line in file.read_text("utf-8").splitlines())
    pairs = [(target, text) for target, text in (line.split("\t", 1) for line in lines)]
    fixed = with_fixed_grids(model, ranges_of(model, tokenizer, encoded(tokenizer, texts, pairs)))
    options.out.mkdir(parents=True, exist_ok=True)
    onnx.save_model(fixed, str(options.out / MODEL_FILE))
    if options.out.resolve() != options.model.resolve():
        shutil.copy(options.model / TOKENIZER_FILE, options.out)
    ModelFolder(options.out, REMEDY).write_manifest(
        manifest | {"version": options.version}, (MODEL_FILE, TOKENIZER_FILE)
    )
    size = (options.out / MODEL_FILE).stat().st_size
    print(f"{len(products(model))} products, {len(texts)} texts, {len(pairs)} pairs, {size} bytes")


if __name__ == "__main__":
    main()
