"""The caller's documents prepared for a prompt: cleaned, joined by id, checked for injections, and cut to size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from openai_service.extractive.passages import Document
from openai_service.tasks.prompt_fencing import clean_text
from openai_service.tasks.schemas import SourceDocument, Topics
from openai_service.text.injection_detector import is_injection

MAX_CHARACTERS = 60_000


@dataclass(frozen=True, slots=True)
class PreparedDocuments:
    """The documents that a prompt may show, and those that it may not."""

    documents: tuple[Document, ...]
    hidden: tuple[Document, ...] = ()
    """All documents that are not shown: withheld, left out, or empty."""
    withheld: tuple[str, ...] = ()
    """Ids of documents with a prompt injection."""
    left_out: tuple[str, ...] = ()
    """Ids of documents beyond ``MAX_CHARACTERS``, and of empty ones."""
    order: tuple[str, ...] = ()
    """All ids in the caller's order."""

    def in_order(self, topics: Topics) -> Topics:
        """Return ``topics`` in the order of the caller's documents."""
        place = {name: number for number, name in enumerate(self.order)}
        return Topics(items=sorted(topics.items, key=lambda item: place[item.document_id]))

    def batches(self, size: int) -> Iterator[PreparedDocuments]:
        """Yield the same with at most ``size`` of the documents that are shown at a time; once where none are."""
        for first in range(0, max(1, len(self.documents)), size):
            yield replace(self, documents=self.documents[first : first + size])


def prepare_documents(sources: Sequence[SourceDocument]) -> PreparedDocuments:
    """Clean the documents, join those of one id, withhold those with a prompt injection, and take those that fit."""
    joined: dict[str, str] = {}
    for source in sources:
        text = clean_text(source.text).strip()
        joined[source.id] = f"{joined[source.id]}\n{text}" if source.id in joined else text
    # The original text is searched, because an injection may consist of characters that cleaning removes.
    injections = {source.id for source in sources if is_injection(source.text) or is_injection(source.id)}
    shown = _that_fit({name: text for name, text in joined.items() if name not in injections and text})
    return PreparedDocuments(
        documents=tuple(Document(name, joined[name]) for name in shown),
        hidden=tuple(Document(name, text) for name, text in joined.items() if name not in shown),
        withheld=tuple(name for name in joined if name in injections),
        left_out=tuple(name for name in joined if name not in shown and name not in injections),
        order=tuple(joined),
    )


def _that_fit(texts: Mapping[str, str]) -> dict[str, str]:
    used, fitting = 0, {}
    for name, text in texts.items():
        used += len(text)
        if used <= MAX_CHARACTERS:
            fitting[name] = text
    return fitting
