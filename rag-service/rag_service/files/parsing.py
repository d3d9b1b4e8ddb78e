"""Text, Markdown, HTML and PDF to sections, each by a library of its own."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pypdf import PdfReader

from castor_chassis import normal_form
from rag_service.errors import FileUnreadable
from rag_service.files.html_page import sections_of_html
from rag_service.files.model import Section

MOST_PAGES = 1_000
MOST_CHARACTERS = 4_000_000
_LINE_BREAK = re.compile(r"<br\b", re.IGNORECASE)
_UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)


def sections_of(media_type: str, content: bytes) -> list[Section]:
    """Return the sections of a file that hold text; raises ``FileUnreadable`` when there is none, or it cannot be read.

    At most 1,000 pages and 4,000,000 characters are read.
    """
    sections = [_composed(section) for section in _PARSERS[media_type](content) if section.text.strip()]
    if not sections:
        raise FileUnreadable(reason="it holds no text; scanned pages must go through text recognition before")
    if sum(len(section.text) for section in sections) > MOST_CHARACTERS:
        raise FileUnreadable(reason=f"it holds more than {MOST_CHARACTERS:,} characters; send its parts")
    return sections


def _composed(section: Section) -> Section:
    heading = section.heading and normal_form("NFC", section.heading)
    return replace(section, heading=heading, text=normal_form("NFC", section.text))


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
        for found in _sections_in(token, of_heading=tokens[place - 1].type == "heading_open"):
            if found.heading is not None:
                sections.append(Section(heading, "\n\n".join(lines)))
                heading, lines = found.heading, []
            lines += [found.text] if found.text else []
    return [*sections, Section(heading, "\n\n".join(lines))]


def _sections_in(token: Token, *, of_heading: bool) -> list[Section]:
    if token.type == "html_block":
        return sections_of_html(token.content, within_content=True)
    if token.type not in ("inline", "fence", "code_block"):
        return []
    text = "".join(map(_plain, token.children or [])) or token.content
    return [Section(text, "")] if of_heading else [Section(None, text)]


def _plain(child: Token) -> str:
    if child.type in ("softbreak", "hardbreak") or (child.type == "html_inline" and _LINE_BREAK.match(child.content)):
        return "\n"
    return child.content if child.type in ("text", "code_inline", "image") else ""


def _html(content: bytes) -> list[Section]:
    sections = sections_of_html(_decoded(content))
    if any(section.text for section in sections):
        return sections
    return [Section(None, "\n\n".join(section.heading for section in sections if section.heading))]


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
