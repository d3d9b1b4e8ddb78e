"""The documents and the question in a prompt, and the passages that may be quoted from the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openai_service.text.prompt_elements import (
    DOCUMENT_BEGINS,
    DOCUMENT_ENDS,
    QUESTION_BEGINS,
    QUESTION_ENDS,
    elements,
)

_SENTENCE_END = re.compile(r"[.!?…][\"'»”)]?(?=\s+[^\s\w]*[A-ZÁÉÍÓÚÜÑ0-9])")
_VISIBLE = re.compile(r"\S")
_MIN_WORDS = 4
_MAX_CHARACTERS = 320


@dataclass(frozen=True, slots=True)
class Document:
    """A text that may be quoted, unescaped."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A verbatim piece of a document, without line breaks."""

    document_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The question of a prompt, and its documents."""

    question: str
    documents: tuple[Document, ...]


def escape(text: str) -> str:
    """Return ``text`` with ``&``, ``<`` and ``>`` as entities, so that it cannot end the element it stands in."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undo ``escape`` exactly; other entities are kept as they are."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def read_prompt(user_messages: Sequence[str]) -> Prompt:
    """Return the documents and the question of the user messages.

    The question is the last ``<question>`` outside of all documents; without one, the text of the last message outside
    of its documents. An escaped document can neither end its element nor begin another.
    """
    documents: list[Document] = []
    asked: list[str] = []
    outside = ""
    for message in user_messages:
        pieces, start = [], 0
        for begin, text, end in elements(message, DOCUMENT_BEGINS, DOCUMENT_ENDS):
            documents.append(Document(unescape(begin[1]), unescape(text)))
            pieces.append(message[start : begin.start()])
            start = end
        outside = " ".join([*pieces, message[start:]])
        asked += [text for _, text, _ in elements(outside, QUESTION_BEGINS, QUESTION_ENDS)]
    return Prompt(unescape(asked[-1] if asked else outside).strip(), tuple(documents))


def passages(document: Document) -> Iterator[Passage]:
    """Yield the sentences of a document; very short ones are joined to the next, very long ones are cut."""
    for line in document.text.splitlines():
        for piece in _sentences(line):
            for part in _cut(piece):
                yield Passage(document.id, part)


def _sentences(line: str) -> Iterator[str]:
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(line)), len(line)]:
        piece = line[start:end].strip()
        if len(piece.split()) < _MIN_WORDS and end < len(line):
            continue
        if piece:
            yield piece
        start = end


def _cut(piece: str) -> Iterator[str]:
    start = 0
    while len(piece) - start > _MAX_CHARACTERS:
        end = piece.rfind(" ", start + 1, start + _MAX_CHARACTERS)
        end = end if end > 0 else start + _MAX_CHARACTERS
        yield piece[start:end].rstrip()
        start = _VISIBLE.search(piece, end).start()  # type: ignore[union-attr]  # a piece ends with a visible character
    if piece:
        yield piece[start:]
