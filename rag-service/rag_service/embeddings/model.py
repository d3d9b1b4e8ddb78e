"""Records of embeddings."""

from __future__ import annotations

from dataclasses import dataclass

from rag_service.documents.model import Key


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of unit length (or all zero), in the order of the texts, and the model that made them."""

    model: str
    dimensions: int
    vectors: list[list[float]]


@dataclass(frozen=True, slots=True)
class Space:
    """A vector space: the model, with its version as ``name@version`` if it tells one, and the length of vectors."""

    model: str
    dimensions: int

    @property
    def name(self) -> str:
        """The model without its version, by which it is asked for."""
        return self.model.partition("@")[0]


@dataclass(frozen=True, slots=True)
class PendingDocument:
    """A document that waits for an embedding; ``text`` is what the encoder gets of it. Of no tenant it is shared."""

    key: Key
    content_hash: str
    text: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddingCounts:
    """How far embedding is: ``documents`` = ``embedded`` + ``pending`` + ``refused``.

    ``model`` is the one whose vectors are searched, None before the first; ``changing_from`` the one whose are searched
    beside them while documents are embedded anew, None at other times.
    """

    documents: int
    embedded: int
    pending: int
    refused: int
    model: str | None
    changing_from: str | None = None
