"""The headers of the console's files, read from the routes of Caddy, so that they are written once."""

from __future__ import annotations

import re
from collections.abc import Mapping

from console_service import CADDY_ROUTES

_BLOCK = re.compile(r"handle @console \{.*?header \{\n(.*?)\n\t\t\}", re.DOTALL)
_LATER = re.compile(r"^\t\theader @(built|viewer) (\S+) (.*)$", re.MULTILINE)
_LINE = re.compile(r'^\s*(\S+) "?(.*?)"?$', re.MULTILINE)


def read_headers(text: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the headers of every file, and those of ``built`` and of ``viewer`` files that replace them."""
    block = _BLOCK.search(text)
    if block is None:
        raise ValueError(f"{CADDY_ROUTES} has no headers of the console; restore its block `handle @console`.")
    special = {name: {header: value.strip('"')} for name, header, value in _LATER.findall(text)}
    return dict(_LINE.findall(block[1])), special


class Headers:
    """The headers by path."""

    def __init__(self) -> None:
        self._common, self._special = read_headers(CADDY_ROUTES.read_text())

    def of(self, path: str) -> Mapping[str, str]:
        """Return the headers of the file at ``path``, such as ``assets/index.js``."""
        kinds = {"assets/": "built", "docs/": "viewer"}
        special = next((self._special[kind] for start, kind in kinds.items() if path.startswith(start)), {})
        return {**self._common, **special}
