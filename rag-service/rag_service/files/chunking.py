"""Sections to passages: whole sentences, each passage under the title and heading that it stands under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag_service.documents.model import Draft, Metadata
from rag_service.files.model import File, Section
from rag_service.text.sentences import sentences

PASSAGE_CHARACTERS = 900
LONGEST_SENTENCE = 4_000


def passages_of(sections: Iterable[Section]) -> list[Section]:
    """Return the passages of sections, in order, each with the heading and the page of its section."""
    return [replace(section, text=text) for section in sections for text in _passages(section.text)]


def drafts_of(file: File, passages: Sequence[Section]) -> list[Draft]:
    """Return the documents of a file; the title of each is that of the file and its heading."""
    return [_draft(file, passage, number) for number, passage in enumerate(passages, 1)]


def _draft(file: File, passage: Section, number: int) -> Draft:
    metadata: Metadata = {"file": file.name, "passage": number}
    if passage.page is not None:
        metadata["page"] = passage.page
    title = " › ".join(part for part in (file.title or file.name, passage.heading) if part)
    return Draft(
        id=f"{file.id}:{number:05}",
        text=passage.text,
        source=file.source,
        published_at=file.published_at or file.stored_at,
        title=title[:500],
        author=file.author,
        metadata=metadata,
        readers=file.readers,
    )


def _passages(text: str) -> Iterator[str]:
    """Yield runs of sentences of up to 900 characters, as they stand in ``text``; a longer sentence stands alone."""
    start = end = 0
    for begin, stop in _bounded(text):
        if end > start and stop - start > PASSAGE_CHARACTERS:
            yield text[start:end]
            start = begin
        elif end == start:
            start = begin
        end = stop
    if text[start:end].strip():
        yield text[start:end]


def _bounded(text: str) -> Iterator[tuple[int, int]]:
    for begin, stop in sentences(text):
        # What has no final sign for pages is cut at white space.
        while stop - begin > LONGEST_SENTENCE:
            cut = text.rfind(" ", begin + 1, begin + LONGEST_SENTENCE)
            cut = cut if cut > begin else begin + LONGEST_SENTENCE
            yield begin, cut
            begin = cut
        yield begin, stop
