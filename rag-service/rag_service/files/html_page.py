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


def sections_of_html(text: str) -> list[Section]:
    """Return the sections of a page, or of a part of one; what is no text to read is left out."""
    body = LexborHTMLParser(text).body
    page = _Page()
    for node, begins in _walk(body, page) if body is not None else ():
        if begins:
            page.begin(node)
        else:
            page.end(node)
    page.end_section(None)
    return page.sections


class _Page:
    """What was read of a page so far: its sections, the lines of the last one, the text of the last line."""

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self._heading: str | None = None
        self._lines: list[str] = []
        self._parts: list[str] = []
        self._contents = 0

    def reads(self, node: LexborNode) -> bool:
        """Return whether people read what is in a node."""
        return node.tag not in _NO_TEXT and (node.tag not in _OF_THE_SITE or self._contents > 0)

    def begin(self, node: LexborNode) -> None:
        """Take a text, or begin a line at a block; other tags part no word."""
        if node.tag == _TEXT:
            self._parts.append(node.text_content or "")
        elif node.tag == "br":
            self._parts.append(" ")
        elif node.tag in _BLOCKS:
            self._end_line()
        self._contents += node.tag in _CONTENT

    def end(self, node: LexborNode) -> None:
        """End the line of a block; that of a heading begins a section."""
        self._contents -= node.tag in _CONTENT
        if node.tag in HEADINGS and (heading := self._taken()):
            self.end_section(heading)
        elif node.tag in _BLOCKS:
            self._end_line()

    def end_section(self, heading: str | None) -> None:
        """Begin the section under ``heading``."""
        self._end_line()
        self.sections.append(Section(self._heading, "\n\n".join(self._lines)))
        self._heading, self._lines = heading, []

    def _end_line(self) -> None:
        if line := self._taken():
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
