"""The graph of the shipped networks (`tools/e5/graph.py`) against the same network written in numpy."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import onnxruntime as ort
import pytest

from tools.e5 import graph

UNITS, INNER, HEADS, LAYERS, WORDS, POSITIONS = 32, 64, 4, 2, 50, 16
EPSILON = 1e-12
IDS = np.array([[0, 7, 9, 21, 2], [0, 33, 4, 4, 2]])


def layer_tensors(draw: np.random.Generator, layer: int) -> dict[str, graph.Array]:
    prefix = f"bert.encoder.layer.{layer}."
    shapes = {f"attention.self.{part}": (UNITS, UNITS) for part in ("query", "key", "value")}
    shapes |= {"attention.output.dense": (UNITS, UNITS)}
    shapes |= {"intermediate.dense": (INNER, UNITS), "output.dense": (UNITS, INNER)}
    return {f"{prefix}{name}.weight": draw.normal(0, 0.3, shape) for name, shape in shapes.items()} | {
        f"{prefix}{name}.bias": draw.normal(0, 0.1, shape[0]) for name, shape in shapes.items()
    }


@pytest.fixture(scope="module")
def tensors() -> dict[str, graph.Array]:
    """A network of two layers with weights drawn at random."""
    draw = np.random.default_rng(0)
    made = {
        "bert.embeddings.word_embeddings.weight": draw.normal(size=(WORDS, UNITS)),
        "bert.embeddings.position_embeddings.weight": draw.normal(size=(POSITIONS, UNITS)),
        "bert.embeddings.token_type_embeddings.weight": draw.normal(size=(2, UNITS)),
        "classifier.weight": draw.normal(size=(3, UNITS)),
        "classifier.bias": draw.normal(size=3),
    }
    norms = ["bert.embeddings.LayerNorm"]
    for layer in range(LAYERS):
        made |= layer_tensors(draw, layer)
        norms += [f"bert.encoder.layer.{layer}.{part}output.LayerNorm" for part in ("attention.", "")]
    for norm in norms:
        made |= {f"{norm}.weight": draw.normal(1, 0.1, UNITS), f"{norm}.bias": draw.normal(0, 0.1, UNITS)}
    return {name: value.astype(np.float32) for name, value in made.items()}


def expected(tensors: dict[str, graph.Array], ids: np.ndarray) -> graph.Array:
    """Return the logits of rows of token ids."""

    def affine(given: np.ndarray, name: str) -> np.ndarray:
        return np.asarray(given @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"])

    def norm(given: np.ndarray, name: str) -> np.ndarray:
        centred = given - given.mean(-1, keepdims=True)
        unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
        return np.asarray(unit * tensors[f"{name}.weight"] + tensors[f"{name}.bias"])

    def attention(hidden: np.ndarray, prefix: str) -> np.ndarray:
        shape = (*hidden.shape[:2], HEADS, UNITS // HEADS)
        parts = [affine(hidden, f"{prefix}self.{part}").reshape(shape) for part in ("query", "key", "value")]
        query, key, value = (part.transpose(0, 2, 1, 3) for part in parts)
        powers = np.exp(query @ key.transpose(0, 1, 3, 2) / sqrt(UNITS // HEADS))
        mixed = powers / powers.sum(-1, keepdims=True) @ value
        return affine(mixed.transpose(0, 2, 1, 3).reshape(hidden.shape), f"{prefix}output.dense")

    table = "bert.embeddings."
    placed = tensors[f"{table}position_embeddings.weight"][: ids.shape[1]]
    words = tensors[f"{table}word_embeddings.weight"][ids]
    hidden = norm(words + placed + tensors[f"{table}token_type_embeddings.weight"][0], f"{table}LayerNorm")
    for layer in range(LAYERS):
        prefix = f"bert.encoder.layer.{layer}."
        middle = norm(attention(hidden, f"{prefix}attention.") + hidden, f"{prefix}attention.output.LayerNorm")
        raised = affine(middle, f"{prefix}intermediate.dense")
        gelu = raised * (1 + np.vectorize(erf)(raised / sqrt(2))) / 2
        hidden = norm(affine(gelu, f"{prefix}output.dense") + middle, f"{prefix}output.LayerNorm")
    return affine(hidden.mean(1), "classifier")


def session(tensors: dict[str, graph.Array], *, quantised: bool) -> ort.InferenceSession:
    wide = {"qkv": UNITS, "up": UNITS, "out": UNITS, "down": INNER}
    names = [(f"{layer}.{part}", width) for layer in range(LAYERS) for part, width in wide.items()]
    model = graph.build(
        tensors,
        quantised=quantised,
        heads=HEADS,
        epsilon=EPSILON,
        peaks={name: np.full(width, 4, dtype=np.float32) for name, width in names},
        ending=graph.classify,
        precision=graph.Precision(outliers=8),
        masked=False,
        ranges={name: (np.full(width, -5, np.float32), np.full(width, 5, np.float32)) for name, width in names},
    )
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def test_the_float_graph_computes_the_network(tensors: dict[str, graph.Array]) -> None:
    (found,) = session(tensors, quantised=False).run(None, {"input_ids": IDS})
    assert np.abs(found - expected(tensors, IDS)).max() < 1e-4


def test_an_int8_answer_is_near_and_the_same_to_the_bit_beside_another_text(tensors: dict[str, graph.Array]) -> None:
    network = session(tensors, quantised=True)
    (together,) = network.run(None, {"input_ids": IDS})
    alone = np.concatenate([network.run(None, {"input_ids": row[None]})[0] for row in IDS])
    assert (alone == together).all()
    wanted = expected(tensors, IDS)
    assert np.abs(together - wanted).max() < 0.1 * np.abs(wanted).max()
