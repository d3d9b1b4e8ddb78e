"""The static encoder: a table of Spanish word vectors, ten times as fast as the transformer and less accurate.

It ranks quotes, and is `bundled-fast` for embeddings. `models/static/MODEL_CARD.md` says how it was made, how it scores
and where it fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load
from tokenizers import Tokenizer

from castor_chassis import ModelFolder
from openai_service.protocol.vectors import Floats

MODEL = "castor-static-es-1"
FOLDER = Path(__file__).parents[1] / "models" / "static"
REMEDY = "reinstall the package, or rebuild the encoder as training/README.md describes"


@dataclass(frozen=True, slots=True)
class Table:
    """A vector per word in Model2Vec's format; the library itself would take three times the memory of the table."""

    tokenizer: Tokenizer
    unknown: int | None
    rows: npt.NDArray[np.int8]
    row_of: npt.NDArray[np.int32]
    """The row of each token; words that are alike share one."""
    weights: Floats

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> Self:
        """Read the tokenizer and the table from ``files``, contents by file name."""
        tokenizer = Tokenizer.from_str(files["tokenizer.json"].decode())
        tensors = load(files["model.safetensors"])
        unknown = tokenizer.token_to_id("[UNK]")
        return cls(tokenizer, unknown, tensors["embeddings"], tensors["mapping"], tensors["weights"])

    def means(self, texts: Sequence[str]) -> Floats:
        """Return the weighted mean of each text's known words, shape (len(texts), dimensions); 0 without any."""
        means = np.zeros((len(texts), self.rows.shape[1]), dtype=np.float32)
        for place, found in enumerate(self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)):
            tokens = [token for token in found.ids if token != self.unknown]
            if tokens:
                means[place] = (self.rows[self.row_of[tokens]] * self.weights[tokens][:, None]).mean(axis=0)
        return means


class StaticEncoder:
    """Turn Spanish texts into unit vectors; immutable after `load` and safe to share between threads.

    Case, accents, links and punctuation do not count. A text with nothing the vocabulary knows (blank, only
    punctuation, another script) gets one fixed unit vector, nearly orthogonal to every real text: it never
    fails and never looks similar to anything but another such text.
    """

    def __init__(self, table: Table, model: str, version: str) -> None:
        """Wrap a loaded table; use `load` to get a verified one."""
        self._table = table
        self.model = model
        self.version = version
        # The last principal axis carries the least variance, so hardly any text points along it.
        self._neutral: Floats = np.eye(1, self.dimensions, self.dimensions - 1, dtype=np.float32)[0]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Verify and load the table from `folder` (the one shipped with the package when None).

        Raises ModelArtifactError when a file is missing or its sha256 differs from the manifest's.
        """
        artifacts = ModelFolder(folder or FOLDER, REMEDY)
        manifest = artifacts.manifest()
        files = artifacts.files(manifest)
        table = Table.read(files)
        if table.rows.shape[1] != manifest["dimensions"]:
            raise artifacts.error(
                f"{artifacts.path} holds {table.rows.shape[1]}-dimensional vectors but its manifest says "
                f"{manifest['dimensions']}"
            )
        return cls(table, manifest["model"], manifest["version"])

    @property
    def dimensions(self) -> int:
        """The length of every vector."""
        return int(self._table.rows.shape[1])

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector per text, shape (len(texts), dimensions), float32.

        A text's vector depends on that text alone, bit for bit, whatever else is in the batch. Raises TypeError
        for a bare string, which would otherwise be read as a sequence of one-letter texts.
        """
        if isinstance(texts, str):
            raise TypeError("encode takes a sequence of texts; wrap a single text in a list")
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        means = self._table.means(texts)
        vectors: Floats = means / (np.linalg.norm(means, axis=1, keepdims=True) + 1e-32)
        vectors[~vectors.any(axis=1)] = self._neutral
        return vectors
