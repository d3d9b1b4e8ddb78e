"""The bundled Spanish text encoder: embeddings on a CPU, without a key and without a network.

A static word-vector table distilled from multilingual-e5-small; `bundled/MODEL_CARD.md` tells how it was made,
what it scores and where it fails.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from model2vec import StaticModel

Vectors = npt.NDArray[np.float32]

BUNDLED_FOLDER = Path(__file__).parent / "bundled"
MANIFEST = "manifest.json"


class EncoderArtifactError(RuntimeError):
    """The encoder's files are missing, damaged or not the ones the manifest lists."""


class BundledEncoder:
    """Turn Spanish texts into unit vectors; immutable after `load` and safe to share between threads.

    Case, accents, links and punctuation do not count. A text with nothing the vocabulary knows (blank, only
    punctuation, another script) gets one fixed unit vector, nearly orthogonal to every real text: it never
    fails and never looks similar to anything but another such text.
    """

    def __init__(self, static: StaticModel, model: str) -> None:
        """Wrap a loaded table; use `load` to get a verified one."""
        self._static = static
        self._model = model
        # The last principal axis carries the least variance, so hardly any text points along it.
        self._neutral: Vectors = np.eye(1, static.dim, static.dim - 1, dtype=np.float32)[0]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Verify and load the table from `folder` (the one shipped with the package when None).

        Raises EncoderArtifactError when a file is missing or its sha256 differs from the manifest's.
        """
        folder = folder or BUNDLED_FOLDER
        manifest = _verified_manifest(folder)
        static = StaticModel.from_pretrained(folder, normalize=True, max_length=None)
        if static.dim != manifest["dimensions"]:
            raise EncoderArtifactError(
                f"{folder} holds {static.dim}-dimensional vectors but its manifest says "
                f"{manifest['dimensions']}: {_REBUILD}"
            )
        return cls(static, manifest["model"])

    @property
    def model(self) -> str:
        """The model id; vectors of different ids must never be compared."""
        return self._model

    @property
    def dimensions(self) -> int:
        """The length of every vector."""
        return self._static.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, shape (len(texts), dimensions), float32.

        A text's vector depends on that text alone, bit for bit, whatever else is in the batch. Raises TypeError
        for a bare string, which would otherwise be read as a sequence of one-letter texts.
        """
        if isinstance(texts, str):
            raise TypeError("encode takes a sequence of texts; wrap a single text in a list")
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        vectors = self._static.encode(texts, use_multiprocessing=False).astype(np.float32, copy=False)
        vectors[~vectors.any(axis=1)] = self._neutral
        return vectors


_REBUILD = "reinstall the package, or rebuild the encoder with training/README.md."


def _verified_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest after checking every file it lists against its sha256."""
    manifest: dict[str, Any] = json.loads(_read(folder / MANIFEST))
    for name, expected in manifest["files"].items():
        found = hashlib.sha256(_read(folder / name)).hexdigest()
        if found != expected:
            raise EncoderArtifactError(
                f"{folder / name} is damaged or not the listed one "
                f"(sha256 {found[:12]}, the manifest says {expected[:12]}): {_REBUILD}"
            )
    return manifest


def _read(path: Path) -> bytes:
    """Return a file's bytes, or say which one is missing."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise EncoderArtifactError(f"{path} cannot be read ({error.strerror}): {_REBUILD}") from error
