"""Records of answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from rag_service.answers.citations import Citation
from rag_service.answers.positions import Position
from rag_service.documents.model import Document


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A verified quote, the document that it stands in, and how many more documents say the same."""

    citation: Citation
    document: Document
    same: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in which every quote is one of ``passages``; without any, the service abstained.

    ``missing`` holds the words of the question that no document found speaks of, ``named`` the ids of the documents,
    quoted or not, whose authors the text names.
    """

    text: str
    passages: list[CitedPassage]
    documents_considered: int
    degraded: list[str]
    positions: list[Position] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    quarantined: int = 0
    named: list[str] = field(default_factory=list)

    @property
    def abstained(self) -> bool:
        """Whether the documents did not answer."""
        return not self.passages
