"""The transformer: multilingual-e5-small in int8 on the CPU, the bundled encoder of Spanish texts.

`models/transformer/MODEL_CARD.md` says how it was made, how it scores and where it fails.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from tokenizers import Tokenizer

from castor_chassis import ModelFolder, unescape
from openai_service.protocol.vectors import Floats

if TYPE_CHECKING:
    import onnxruntime as ort

Role = Literal["query", "passage"]

FOLDER = Path(__file__).parents[1] / "models" / "transformer"
REMEDY = "reinstall the package, or rebuild the encoder as training/README.md describes"
MODEL = "castor-e5-es-1"
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
NEUTRAL_FILE = "neutral.npy"
# About what fits a processor's cache; more tokens per run were not faster.
TOKENS_PER_RUN = 256
_LINK = re.compile(r"https?://\S+")
_HASHTAG = re.compile(r"(?<!\w)[#＃](\w+)")
_CAMEL = re.compile(r"(?<=[a-záéíóúüñ])(?=[A-ZÁÉÍÓÚÜÑ])|(?<=[A-ZÁÉÍÓÚÜÑ])(?=[A-ZÁÉÍÓÚÜÑ][a-záéíóúüñ])|_")


def prepare(text: str) -> str:
    """Return the text as the encoder reads it: HTML decoded, no links, hashtags as words, single spaces."""
    text = _LINK.sub(" ", unescape(text))
    return " ".join(_HASHTAG.sub(lambda match: _CAMEL.sub(" ", match[1]), text).split())


def has_content(text: str) -> bool:
    """Return whether the text has a letter, a digit or a symbol such as an emoji."""
    return any(character.isalnum() or unicodedata.category(character) == "So" for character in text)


@dataclass(frozen=True, slots=True)
class TransformerEncoder:
    """Turn texts into unit vectors; immutable after `load` and safe to share between threads.

    A text is read as a query or as a passage: the two roles share one space and are made for each other, and the same
    role on both sides works too. Tokens beyond `max_tokens` are not read. A text without anything that the vocabulary
    contains (blank, only punctuation, another script) gets one fixed unit vector that resembles no real text.
    """

    model: str
    version: str
    tokenizer: Tokenizer
    session: ort.InferenceSession
    neutral: Floats
    """The vector of a text without content: the direction in which real texts vary least."""
    empty: frozenset[int | None]
    """The tokens without content: the unknown one, and the space before it."""

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Verify and load a model folder (the one shipped with the package when None).

        Raises ModelArtifactError when a file is missing or not the one that the manifest lists.
        """
        artifacts = ModelFolder(folder or FOLDER, REMEDY)
        manifest = artifacts.manifest()
        files = artifacts.files(manifest)
        tokenizer = Tokenizer.from_str(files[TOKENIZER_FILE].decode())
        tokenizer.no_padding()
        tokenizer.enable_truncation(manifest["max_tokens"])
        network = session(files[MODEL_FILE])
        made = network.get_outputs()[0].shape[1]
        if made != manifest["dimensions"]:
            raise artifacts.error(
                f"{artifacts.path} makes {made}-dimensional vectors but its manifest says {manifest['dimensions']}"
            )
        neutral = np.load(io.BytesIO(files[NEUTRAL_FILE]))
        empty = frozenset(tokenizer.token_to_id(token) for token in ("<unk>", "▁"))
        return cls(manifest["model"], manifest["version"], tokenizer, network, neutral, empty)

    @property
    def dimensions(self) -> int:
        """The length of every vector."""
        return len(self.neutral)

    def encode(self, texts: Sequence[str], role: Role = "query") -> Floats:
        """Return one unit vector per text, shape (len(texts), dimensions), float32.

        A text's vector depends on that text and its role alone, bit for bit, whatever else is in the batch. Raises
        TypeError for a bare string, which would otherwise be read as a sequence of one-letter texts.
        """
        if isinstance(texts, str):
            raise TypeError("encode takes a sequence of texts; wrap a single text in a list")
        ids = self.read(texts, role)
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for rows in runs(ids):
            vectors[rows] = self.run([ids[row] for row in rows])
        return vectors

    def read(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Return the token ids of each text; none for a text without content."""
        plain = [prepare(text) for text in texts]
        start = len(self.tokenizer.encode(f"{role}:").ids) - 1
        found = [encoding.ids for encoding in self.tokenizer.encode_batch_fast([f"{role}: {text}" for text in plain])]
        return [
            ids if has_content(text) and not self.empty.issuperset(ids[start:-1]) else []
            for text, ids in zip(plain, found, strict=True)
        ]

    def run(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Return the vectors of texts that all have the same number of tokens."""
        if not ids[0]:
            return np.tile(self.neutral, (len(ids), 1))
        (vectors,) = self.session.run(None, {"input_ids": np.array(ids, dtype=np.int64)})
        return np.asarray(vectors, dtype=np.float32)


def runs(ids: Sequence[Sequence[int]], budget: int = TOKENS_PER_RUN) -> Iterator[list[int]]:
    """Yield the indexes of each run: texts of one length, at most ``budget`` tokens or one text.

    No run is padded: that would cost time, and change the last bits of the vectors of shorter texts.
    """
    of_length: dict[int, list[int]] = {}
    for row, tokens in enumerate(ids):
        of_length.setdefault(len(tokens), []).append(row)
    for length, rows in sorted(of_length.items()):
        size = max(1, budget // max(1, length))
        yield from (rows[start : start + size] for start in range(0, len(rows), size))


def session(model: bytes) -> ort.InferenceSession:
    """Return a session that uses only the calling thread; several runs use several threads."""
    # Imported here, because it costs memory that a service without this encoder does not need.
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
