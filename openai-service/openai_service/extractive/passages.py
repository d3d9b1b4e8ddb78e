"""The documents and the question in a prompt, and the passages that may be quoted from the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_DOCUMENT = re.compile(r'<document id="([^"<>\n]{1,200})">(.*?)</document>', re.DOTALL)
_QUESTION = re.compile(r"<question>(.*?)</question>", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?…][\"'»”)]?(?=\s+[^\s\w]*[A-ZÁÉÍÓÚÜÑ0-9])")
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
    documents = [_document(match) for message in user_messages for match in _DOCUMENT.finditer(message)]
    outside = [_DOCUMENT.sub(" ", message) for message in user_messages]
    asked = [question for text in outside for question in _QUESTION.findall(text)]
    question = asked[-1] if asked else outside[-1] if outside else ""
    return Prompt(unescape(question).strip(), tuple(documents))


def _document(match: re.Match[str]) -> Document:
    return Document(unescape(match[1]), unescape(match[2]))


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
    while len(piece) > _MAX_CHARACTERS:
        end = piece.rfind(" ", 1, _MAX_CHARACTERS)
        end = end if end > 0 else _MAX_CHARACTERS
        yield piece[:end].rstrip()
        piece = piece[end:].lstrip()
    if piece:
        yield piece
