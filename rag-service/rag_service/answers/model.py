"""Records of answers."""

from __future__ import annotations

from dataclasses import dataclass

from rag_service.answers.citations import Citation
from rag_service.documents.model import Document


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A verified quote and the document that it stands in."""

    citation: Citation
    document: Document


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in which every quote is one of ``passages``; without any, the service abstained."""

    text: str
    passages: list[CitedPassage]
    documents_considered: int
    degraded: list[str]

    @property
    def abstained(self) -> bool:
        """Whether the documents did not answer."""
        return not self.passages
