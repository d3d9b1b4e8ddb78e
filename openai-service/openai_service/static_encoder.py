"""The fast Spanish text encoder: a table of word vectors, ten times as fast as the transformer and less exact.

It ranks quotes, and is `bundled-fast` for embeddings; `models/static/MODEL_CARD.md` tells how it was made, what it
scores and where it fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from model2vec import StaticModel

from openai_service.model_folder import REBUILD, EncoderArtifactError, verified

Vectors = npt.NDArray[np.float32]

MODEL = "castor-static-es-1"
FOLDER = Path(__file__).parent / "models" / "static"


class StaticEncoder:
    """Turn Spanish texts into unit vectors; immutable after `load` and safe to share between threads.

    Case, accents, links and punctuation do not count. A text with nothing the vocabulary knows (blank, only
    punctuation, another script) gets one fixed unit vector, nearly orthogonal to every real text: it never
    fails and never looks similar to anything but another such text.
    """

    def __init__(self, static: StaticModel, model: str, version: str) -> None:
        """Wrap a loaded table; use `load` to get a verified one."""
        self._static = static
        self.model = model
        self.version = version
        # The last principal axis carries the least variance, so hardly any text points along it.
        self._neutral: Vectors = np.eye(1, static.dim, static.dim - 1, dtype=np.float32)[0]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Verify and load the table from `folder` (the one shipped with the package when None).

        Raises EncoderArtifactError when a file is missing or its sha256 differs from the manifest's.
        """
        folder = folder or FOLDER
        manifest, _ = verified(folder)
        static = StaticModel.from_pretrained(folder, normalize=True, max_length=None)
        if static.dim != manifest["dimensions"]:
            raise EncoderArtifactError(
                f"{folder} holds {static.dim}-dimensional vectors but its manifest says "
                f"{manifest['dimensions']}: {REBUILD}"
            )
        return cls(static, manifest["model"], manifest["version"])

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
