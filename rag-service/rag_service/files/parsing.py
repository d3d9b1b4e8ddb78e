"""Text, Markdown, HTML and PDF to sections, each by a library of its own."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable
from io import BytesIO

from markdown_it import MarkdownIt
from pypdf import PdfReader
from selectolax.lexbor import LexborHTMLParser

from rag_service.errors import FileUnreadable
from rag_service.files.model import Section

MOST_PAGES = 1_000
MOST_CHARACTERS = 4_000_000
_UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = (*_HEADINGS, "p", "li", "blockquote", "pre", "td", "th", "dt", "dd", "figcaption")
_NO_TEXT = ("script", "style", "noscript", "template", "svg", "nav", "header", "footer", "form", "aside")


def sections_of(media_type: str, content: bytes) -> list[Section]:
    """Return the sections of a file that hold text; raises ``FileUnreadable`` when there is none, or it cannot be read.

    At most 1,000 pages and 4,000,000 characters are read.
    """
    sections = [section for section in _PARSERS[media_type](content) if section.text.strip()]
    if not sections:
        raise FileUnreadable(reason="it holds no text; scanned pages must go through text recognition before")
    if sum(len(section.text) for section in sections) > MOST_CHARACTERS:
        raise FileUnreadable(reason=f"it holds more than {MOST_CHARACTERS:,} characters; send its parts")
    return sections


def _decoded(content: bytes) -> str:
    if content.startswith(_UTF16):
        text = content.decode("utf-16", errors="replace")
    else:
        text = "".join(map(_decoded_line, content.removeprefix(BOM_UTF8).splitlines(keepends=True)))
    return text.replace("\x00", " ").replace("\r\n", "\n")


def _decoded_line(line: bytes) -> str:
    """Return a line of UTF-8, else of Windows-1252, as Spanish text is as a rule; a file may hold both."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        whole = line[: error.start]
        if error.reason == "unexpected end of data" and not whole.isascii():
            return whole.decode() + "\ufffd"  # the file ends within a character
        return line.decode("cp1252", errors="replace")


def _text(content: bytes) -> list[Section]:
    return [Section(None, _decoded(content))]


def _markdown(content: bytes) -> list[Section]:
    sections: list[Section] = []
    heading: str | None = None
    lines: list[str] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(_decoded(content))
    for place, token in enumerate(tokens):
        if token.type not in ("inline", "fence", "code_block"):
            continue
        text = "".join(_plain(child.type, child.content) for child in token.children or []) or token.content
        if tokens[place - 1].type == "heading_open":
            sections.append(Section(heading, "\n\n".join(lines)))
            heading, lines = text, []
        else:
            lines.append(text)
    return [*sections, Section(heading, "\n\n".join(lines))]


def _plain(kind: str, content: str) -> str:
    return "\n" if kind in ("softbreak", "hardbreak") else content if kind in ("text", "code_inline", "image") else ""


def _html(content: bytes) -> list[Section]:
    tree = LexborHTMLParser(_decoded(content))
    tree.strip_tags(list(_NO_TEXT))
    sections: list[Section] = []
    heading: str | None = None
    lines: list[str] = []
    for node in tree.css(",".join(_BLOCKS)):
        # Of nested blocks each holds its own text alone; a node is among those that its own query finds.
        nested = len(node.css(",".join(_BLOCKS))) > 1
        text = " ".join(node.text(deep=not nested, separator=" ").split())
        if node.tag in _HEADINGS:
            sections.append(Section(heading, "\n\n".join(lines)))
            heading, lines = text, []
        else:
            lines.append(text)
    sections.append(Section(heading, "\n\n".join(lines)))
    if not any(section.text for section in sections) and tree.body is not None:
        return [Section(None, tree.body.text(separator="\n"))]
    return sections


def _pdf(content: bytes) -> list[Section]:
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileUnreadable(reason="it is protected by a password; send it without one")
        if len(reader.pages) > MOST_PAGES:
            raise FileUnreadable(reason=f"it has more than {MOST_PAGES:,} pages; send its parts")
        pages = [_storable(page.extract_text()) for page in reader.pages]
    except FileUnreadable:
        raise
    except Exception as error:  # of a broken file pypdf raises whatever its parts raise
        raise FileUnreadable(reason=f"it is no PDF that can be read ({type(error).__name__})") from error
    return [Section(None, _joined_words(text), number) for number, text in enumerate(pages, 1)]


def _storable(text: str) -> str:
    # A PDF may map its glyphs to halves of UTF-16 pairs, which no database takes.
    return text.replace("\x00", " ").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _joined_words(text: str) -> str:
    return re.sub(r"(?<=\w)[-\u2010\u00ad]\n(?=[a-záéíóúüñ])", "", text)


_PARSERS: dict[str, Callable[[bytes], list[Section]]] = {
    "text/plain": _text,
    "text/markdown": _markdown,
    "text/html": _html,
    "application/pdf": _pdf,
}
