"""The prompt of an answer: documents are delimited as data, so that their text is not read as instructions."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib import resources

from rag_service.documents.model import Document

_SYSTEM = "prompts/answer.v1.es.txt"
SHOWN_CHARACTERS = 4_000
"""Of each document, what the model is shown."""


def system_message() -> str:
    """Return the instructions to the model, read from the package."""
    return (resources.files("rag_service") / _SYSTEM).read_text(encoding="utf-8")


def user_message(question: str, documents: Sequence[Document]) -> str:
    """Return the documents, each between tags that its escaped text cannot close, and the question after them."""
    blocks = [
        f'<document id="{document.id}">{html.escape(document.text[:SHOWN_CHARACTERS], quote=False)}</document>'
        for document in documents
    ]
    return "\n".join([*blocks, f"<question>{html.escape(question, quote=False)}</question>"])
