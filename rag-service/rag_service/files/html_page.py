"""HTML to sections: all that people read of a page, in its order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag_service.files.model import Section

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS = HEADINGS | frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption "
        "figure footer form header hgroup hr legend li main menu ol p pre search section summary table tbody td tfoot "
        "th thead tr ul",
    )
)
_NO_TEXT = frozenset(
    re.findall(
        r"\w+",
        "script style noscript noembed noframes template svg iframe object nav button datalist label select textarea",
    )
)
_OF_THE_SITE = frozenset(("header", "footer", "aside"))
"""What stands around a page; inside of what a page is about, it is a part of that."""
_CONTENT = frozenset(("article", "main", "blockquote"))
_TEXT = "-text"
_LONGEST_HEADING = 500
"""A heading that nobody closed holds what follows it as well, in characters: that is text."""


def sections_of_html(text: str, *, within_content: bool = False) -> list[Section]:
    """Return the sections of a page, or of what stands ``within_content``; what is no text to read is left out."""
    body = LexborHTMLParser(text).body
    page = _Page(within_content=within_content)
    for node, begins in _walk(body, page) if body is not None else ():
        if begins:
            page.begin(node)
        else:
            page.end(node)
    page.end_section(None)
    return page.sections


class _Page:
    """What was read of a page so far: its sections, the lines of the last one, the text of the last line, and how many
    headings and elements of content are open."""

    def __init__(self, *, within_content: bool) -> None:
        self.sections: list[Section] = []
        self._heading: str | None = None
        self._lines: list[str] = []
        self._parts: list[str] = []
        self._contents = int(within_content)
        self._open_headings = 0

    def reads(self, node: LexborNode) -> bool:
        """Return whether people read what is in a node."""
        within = self._contents + self._open_headings > 0
        return node.tag not in _NO_TEXT and (node.tag not in _OF_THE_SITE or within)

    def begin(self, node: LexborNode) -> None:
        """Take a text, or begin a line at a block, which within a heading parts words; other tags part none."""
        if node.tag == _TEXT:
            self._parts.append(node.text_content or "")
        elif node.tag == "br":
            self._parts.append(" ")
        elif node.tag in _BLOCKS:
            self._end_line()
        self._contents += node.tag in _CONTENT
        self._open_headings += node.tag in HEADINGS

    def end(self, node: LexborNode) -> None:
        """End the line of a block; that of a heading begins a section."""
        self._contents -= node.tag in _CONTENT
        self._open_headings -= node.tag in HEADINGS
        if node.tag in HEADINGS and not self._open_headings:
            self._end_heading()
        elif node.tag in _BLOCKS:
            self._end_line()

    def end_section(self, heading: str | None) -> None:
        """Begin the section under ``heading``."""
        self._end_line()
        self.sections.append(Section(self._heading, "\n\n".join(self._lines)))
        self._heading, self._lines = heading, []

    def _end_heading(self) -> None:
        line = self._taken()
        if len(line) > _LONGEST_HEADING:
            self._lines.append(line)
        elif line:
            self.end_section(line)

    def _end_line(self) -> None:
        if self._open_headings:
            self._parts.append(" ")
        elif line := self._taken():
            self._lines.append(line)

    def _taken(self) -> str:
        line = " ".join("".join(self._parts).split())
        self._parts = []
        return line


def _walk(root: LexborNode, page: _Page) -> Iterator[tuple[LexborNode, bool]]:
    """Yield each node that is read, in document order: (node, True) where it begins, (node, False) where it ends."""
    node = root
    while True:
        reads = page.reads(node)
        if reads:
            yield node, True
        if reads and (child := node.first_child) is not None:
            node = child
            continue
        if reads:
            yield node, False
        while node.mem_id != root.mem_id and node.next is None:
            assert node.parent is not None, "what is within the root has a parent"
            node = node.parent
            yield node, False
        if node.mem_id == root.mem_id:
            return
        assert node.next is not None, "else its parent would have ended"
        node = node.next
