"""The network as an ONNX graph of fused operators, in float32 or in int8.

Names of initialisers: `table` (word embeddings), `positions` (with the token type folded in), `embed.*` (their layer
norm), `L.*` for layer L with the parts qkv, out, up, down and the norms mid and end, and `head.*`. In int8 a matrix is
`NAME.q` with one scale for each output column in `NAME.scale`; the word table is 4 bits in blocks of 32.

Some inner units of the feed-forward layers have values far beyond all others; one scale for all would leave the others
no precision. Those of greatest range are put last and stay float32 (`L.down.outliers`), as in LLM.int8 (Dettmers 2022).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Array = NDArray[np.float32]
BLOCK = 32
_CONTRIB = "com.microsoft"


@dataclass(frozen=True)
class Precision:
    """What int8 spares: how many inner units stay float32, and how the inputs of which products are smoothed.

    SmoothQuant's exponent moves the range from the inputs (1: all of it) to the weights; see `smoothing`.
    """

    outliers: int = 32
    smoothed: frozenset[str] = frozenset({"qkv", "up"})
    exponent: float = 0.5


@dataclass
class Graph:
    """A graph in the making."""

    quantised: bool
    heads: int
    epsilon: float
    peaks: Mapping[str, Array]
    precision: Precision = Precision()
    masked: bool = True
    ranges: Mapping[str, tuple[Array, Array]] | None = None
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Add an initialiser."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def linear(self, name: str, given: str, weights: Array, bias: Array | None) -> str:
        """Add `given @ weights.T + bias`; ``weights`` has shape (out, in)."""
        if not self.quantised:
            product = self.node("MatMul", [given, self.constant(f"{name}.w", weights.T)], f"{name}.product")
            if bias is None:
                return product
            return self.node("Add", [product, self.constant(f"{name}.b", bias)], f"{name}.sum")
        smooth = np.ones(weights.shape[1], dtype=np.float32)
        if name.split(".")[1] in self.precision.smoothed:
            smooth = smoothing(self.peaks[name][: len(smooth)], weights, self.precision.exponent)
            given = self.node("Mul", [given, self.constant(f"{name}.smooth", 1 / smooth)], f"{name}.smoothed")
            weights = weights * smooth
        scale = np.maximum(np.abs(weights).max(axis=1) / 127, 1e-12).astype(np.float32)
        matrix = self.constant(f"{name}.q", np.round(weights / scale[:, None]).astype(np.int8).T)
        scales = self.constant(f"{name}.scale", scale)
        added = "" if bias is None else self.constant(f"{name}.b", bias)
        if self.ranges is None:
            inputs = [given, matrix, scales, "", added]
            return self.node("DynamicQuantizeMatMul", inputs, f"{name}.sum", domain=_CONTRIB)
        low, high = (side[: len(smooth)] for side in self.ranges[name])
        step, zero = self._grid(name, float((low / smooth).min()), float((high / smooth).max()))
        levels = self.node("QuantizeLinear", [given, step, zero], f"{name}.levels")
        inputs = [levels, matrix, step, scales, zero, "", added]
        return self.node("MatMulIntegerToFloat", inputs, f"{name}.sum", domain=_CONTRIB)

    def _grid(self, name: str, low: float, high: float) -> tuple[str, str]:
        """Return the step and the zero of 256 levels from ``low`` to ``high``."""
        step = (high - low) / 255
        zero = np.array(round(-low / step), dtype=np.uint8)
        return self.constant(f"{name}.step", np.array(step, dtype=np.float32)), self.constant(f"{name}.zero", zero)

    def norm(self, name: str, given: str, residual: str, tensors: Mapping[str, Array], source: str) -> str:
        """Add the layer norm of `given + residual`.

        Two operators: ONNX Runtime's SkipLayerNormalization takes four times as long (79 us for 40 tokens, these 17).
        """
        summed = self.node("Add", [given, residual], f"{name}.summed")
        return self.normalised(name, summed, tensors, source)

    def normalised(self, name: str, given: str, tensors: Mapping[str, Array], source: str) -> str:
        """Add the layer norm of ``given``."""
        inputs = [given, *self._pair(name, tensors, source)]
        return self.node("LayerNormalization", inputs, f"{name}.normed", epsilon=self.epsilon, axis=-1)

    def _pair(self, name: str, tensors: Mapping[str, Array], source: str) -> list[str]:
        return [self.constant(f"{name}.{part}", tensors[f"{source}.{part}"]) for part in ("weight", "bias")]

    def words(self, table: Array) -> str:
        """Add the look-up of the word embeddings."""
        if not self.quantised:
            return self.node("Gather", [self.constant("table", table), "input_ids"], "words")
        packed, scales = four_bits(table)
        tensor = helper.make_tensor("table", TensorProto.INT4, table.shape, packed.tobytes(), raw=True)
        self.constants.append(tensor)
        inputs = ["table", "input_ids", self.constant("table.scale", scales)]
        return self.node(
            "GatherBlockQuantized", inputs, "words", domain=_CONTRIB, gather_axis=0, quantize_axis=1, block_size=BLOCK
        )


Ending = Callable[[Graph, str, Mapping[str, Array]], ValueInfoProto]
"""Adds what comes after the mean, named by the second argument, and returns the model's output."""


def smoothing(peaks: Array, weights: Array, exponent: float) -> Array:
    """Return what each input is divided by, and its weights multiplied by, so that both fill int8.

    SmoothQuant (Xiao et al. 2023), formula 4; ``peaks`` are the greatest absolute values of the inputs.
    """
    greatest = np.maximum(np.abs(weights).max(axis=0), 1e-5)
    ratio = np.maximum(peaks, 1e-5) ** exponent / greatest ** (1 - exponent)
    return np.asarray(ratio / np.exp(np.log(ratio).mean()), dtype=np.float32)


def four_bits(table: Array) -> tuple[NDArray[np.uint8], Array]:
    """Return signed nibbles (two a byte, low first) and scales of shape (rows, blocks): weight = nibble * scale.

    A table that comes from Q4_0 lies on such a grid, which is found again from the value farthest from zero.
    """
    blocks = table.reshape(table.shape[0], -1, BLOCK)
    farthest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    scales = np.where(farthest == 0, 1, farthest / -8).astype(np.float32)
    nibbles = np.clip(np.round(blocks / scales[..., None]), -8, 7).astype(np.int8).reshape(-1).view(np.uint8) & 15
    return (nibbles[0::2] | (nibbles[1::2] << 4)).astype(np.uint8), scales


def build(
    tensors: Mapping[str, Array],
    *,
    quantised: bool,
    heads: int,
    epsilon: float,
    peaks: Mapping[str, Array],
    ending: Ending,
    precision: Precision = Precision(),  # frozen
    masked: bool = True,
    ranges: Mapping[str, tuple[Array, Array]] | None = None,
) -> ModelProto:
    """Return the ONNX model of the tensors of a BERT (each under `bert.`), the mean over its tokens, and an ``ending``.

    ``peaks`` gives the greatest absolute value of each input of `L.down` and of what ``precision`` smooths.
    ``ranges``, if given, are the least and the greatest value of each input of every product of a layer: the grids of
    the int8 products are then fixed by them instead of by what a run is given, so a text's result does not depend on
    the texts beside it. A model that is not ``masked`` takes texts of one length only, and no mask.
    """
    graph = Graph(quantised, heads, epsilon, peaks, precision, masked, ranges)
    _embed(graph, tensors)
    hidden = "embed.normed"
    layer = 0
    while f"bert.encoder.layer.{layer}.output.dense.weight" in tensors:
        hidden = _layer(graph, layer, hidden, tensors)
        layer += 1
    return _model(graph, ending(graph, _mean(graph, hidden), tensors))


def _embed(graph: Graph, tensors: Mapping[str, Array]) -> None:
    prefix = "bert.embeddings."
    words = graph.words(tensors[prefix + "word_embeddings.weight"])
    positions = tensors[prefix + "position_embeddings.weight"] + tensors[prefix + "token_type_embeddings.weight"][0]
    graph.constant("positions", positions)
    graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    zero, axis = (graph.constant(name, np.array([0])) for name in ("zero", "axis"))
    placed = graph.node("Slice", ["positions", zero, "length", axis], "placed")
    summed = graph.node("Add", [words, placed], "embedded")
    graph.normalised("embed", summed, tensors, prefix + "LayerNorm")
    if graph.masked:
        graph.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)


def _layer(graph: Graph, layer: int, hidden: str, tensors: Mapping[str, Array]) -> str:
    prefix = f"bert.encoder.layer.{layer}."
    attended = _attention(graph, f"{layer}", hidden, tensors, prefix + "attention.")
    out = graph.linear(f"{layer}.out", attended, *_affine(tensors, prefix + "attention.output.dense"))
    middle = graph.norm(f"{layer}.mid", out, hidden, tensors, prefix + "attention.output.LayerNorm")
    down = _feed_forward(graph, f"{layer}", middle, tensors, prefix)
    return graph.norm(f"{layer}.end", down, middle, tensors, prefix + "output.LayerNorm")


def _attention(graph: Graph, layer: str, hidden: str, tensors: Mapping[str, Array], prefix: str) -> str:
    pairs = [_affine(tensors, f"{prefix}self.{part}") for part in ("query", "key", "value")]
    weights, bias = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    together = graph.linear(f"{layer}.qkv", hidden, weights, bias)
    parts = [f"{layer}.{part}" for part in ("q", "k", "v")]
    graph.nodes.append(helper.make_node("Split", [together], parts, axis=-1, num_outputs=3))
    inputs = [*parts, "", "mask"] if graph.masked else parts
    return graph.node("MultiHeadAttention", inputs, f"{layer}.attended", domain=_CONTRIB, num_heads=graph.heads)


def _feed_forward(graph: Graph, layer: str, given: str, tensors: Mapping[str, Array], prefix: str) -> str:
    up, up_bias = _affine(tensors, prefix + "intermediate.dense")
    down, down_bias = _affine(tensors, prefix + "output.dense")
    name = f"{layer}.down"
    if graph.quantised:
        order = np.argsort(graph.peaks[name], kind="stable")
        up, up_bias, down = up[order], up_bias[order], down[:, order]
        graph.peaks = {**graph.peaks, name: graph.peaks[name][order]}
        if graph.ranges is not None:
            low, high = graph.ranges[name]
            graph.ranges = {**graph.ranges, name: (low[order], high[order])}
    raised = graph.linear(f"{layer}.up", given, up, None)
    inner = graph.node(
        "BiasGelu", [raised, graph.constant(f"{layer}.up.b", up_bias)], f"{layer}.inner", domain=_CONTRIB
    )
    if not graph.quantised:
        return graph.linear(f"{layer}.down", inner, down, down_bias)
    count = graph.precision.outliers
    cut = graph.constant(f"{layer}.cut", np.array([len(up) - count, count]))
    graph.nodes.append(helper.make_node("Split", [inner, cut], [f"{layer}.main", f"{layer}.rare"], axis=-1))
    main = graph.linear(f"{layer}.down", f"{layer}.main", down[:, :-count], down_bias)
    outliers = graph.constant(f"{layer}.down.outliers", down[:, -count:].T)
    rare = graph.node("MatMul", [f"{layer}.rare", outliers], f"{layer}.rare.product")
    return graph.node("Add", [main, rare], f"{layer}.lowered")


def _affine(tensors: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    return tensors[f"{name}.weight"], tensors[f"{name}.bias"]


def _mean(graph: Graph, hidden: str) -> str:
    """Add the mean over the tokens of each text; as a product, because ReduceMean rounds one text alone otherwise."""
    middle = graph.constant("middle", np.array([1]))
    given = graph.node("Unsqueeze", ["attention_mask" if graph.masked else "input_ids", middle], "given.row")
    if graph.masked:
        row = graph.node("Cast", [given], "mask.row", to=TensorProto.FLOAT)
    else:
        one = numpy_helper.from_array(np.ones(1, dtype=np.float32))
        row = graph.node("ConstantOfShape", [graph.node("Shape", [given], "given.shape")], "mask.row", value=one)
    total = graph.node("MatMul", [row, hidden], "total")
    count = graph.node("ReduceSum", [row, graph.constant("last", np.array([2]))], "count", keepdims=1)
    mean = graph.node("Div", [total, count], "mean")
    return graph.node("Squeeze", [mean, middle], "flat")


def classify(graph: Graph, mean: str, tensors: Mapping[str, Array]) -> ValueInfoProto:
    """End in the `logits` of a linear layer, `classifier`."""
    inputs = [mean, *graph._pair("head", tensors, "classifier")]
    graph.node("Gemm", inputs, "logits", transB=1)
    return helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", len(tensors["classifier.bias"])])


def embed(graph: Graph, mean: str, tensors: Mapping[str, Array]) -> ValueInfoProto:
    """End in `vectors` of length one: those of e5 less their `centre`."""
    unit = graph.node("LpNormalization", [mean], "unit", axis=-1)
    moved = graph.node("Sub", [unit, graph.constant("centre", tensors["centre"])], "moved")
    graph.node("LpNormalization", [moved], "vectors", axis=-1)
    return helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", len(tensors["centre"])])


def _model(graph: Graph, output: ValueInfoProto) -> ModelProto:
    names = ("input_ids", "attention_mask") if graph.masked else ("input_ids",)
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in names]
    made = helper.make_graph(graph.nodes, "encoder", inputs, [output], graph.constants)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(_CONTRIB, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=10)
