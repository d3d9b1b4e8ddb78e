"""From texts to the arrays that a network reads: by a ``tokenizer.json`` alone, or by a tokenizer of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tokenizers
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.int64]]


class Tokenizer(Protocol):
    """A tokenizer that cuts what is too long into windows; safe to use from several threads."""

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[Sized]]:
        """Return the windows of each text, one where it fits; the length of a window is its number of tokens."""
        ...

    def arrays(self, encodings: Sequence[Any]) -> Arrays:
        """Return the inputs of a network by name, shape (texts, tokens), padded to the longest encoding."""
        ...


@dataclass(frozen=True, slots=True)
class FileTokenizer:
    """A ``tokenizer.json`` and the id of its padding token."""

    tokenizer: tokenizers.Tokenizer
    pad_id: int

    @classmethod
    def parse(cls, content: str, *, max_tokens: int, pad_id: int) -> FileTokenizer:
        """Return the tokenizer of a ``tokenizer.json``; a window has at most ``max_tokens``."""
        tokenizer = tokenizers.Tokenizer.from_str(content)
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        return cls(tokenizer, pad_id)

    def encode(self, texts: Sequence[str]) -> list[list[tokenizers.Encoding]]:
        """Return the windows of each text."""
        return [[first, *first.overflowing] for first in self.tokenizer.encode_batch_fast(list(texts))]

    def encode_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[list[tokenizers.Encoding]]:
        """Return the windows of each pair of target and text; each begins with the target."""
        return [[first, *first.overflowing] for first in self.tokenizer.encode_batch_fast(list(pairs))]

    def arrays(self, encodings: Sequence[tokenizers.Encoding]) -> Arrays:
        """Return ids, mask and token types (all 0)."""
        width = max(len(encoding) for encoding in encodings)
        ids = np.full((len(encodings), width), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(encodings), width), dtype=np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a tokenizer of transformers makes of one text: lists of equal length by the names of the inputs."""

    inputs: Mapping[str, list[int]]

    def __len__(self) -> int:
        return len(self.inputs["input_ids"])


@dataclass(frozen=True, slots=True)
class PretrainedTokenizer:
    """A tokenizer of transformers; a window has at most ``max_tokens``."""

    tokenizer: Any
    max_tokens: int

    def encode(self, texts: Sequence[str]) -> list[list[Encoded]]:
        """Return the windows of each text; a slow tokenizer (one without overflow) gives the first window only."""
        found: list[list[Encoded]] = [[] for _ in texts]
        if not texts:
            return found
        # Always the same truncation: with another one a fast tokenizer changes itself, which other threads forbid.
        inputs = dict(
            self.tokenizer(
                list(texts),
                truncation=True,
                max_length=self.max_tokens,
                return_attention_mask=True,
                return_overflowing_tokens=self.tokenizer.is_fast,
            )
        )
        text_of = inputs.pop("overflow_to_sample_mapping", range(len(texts)))
        for text, row in zip(text_of, zip(*inputs.values(), strict=True), strict=True):
            found[text].append(Encoded(dict(zip(inputs, row, strict=True))))
        return found

    def arrays(self, encodings: Sequence[Encoded]) -> Arrays:
        """Return the tokenizer's inputs, padded on the side and with the ids that it says; token types default to 0."""
        inputs = {name: [encoding.inputs[name] for encoding in encodings] for name in encodings[0].inputs}
        padded = dict(self.tokenizer.pad(inputs, return_tensors="np"))
        return {"token_type_ids": np.zeros_like(padded["input_ids"]), **padded}
