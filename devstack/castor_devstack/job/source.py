"""The file that the main job imports: the user's, or the sample."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castor_devstack.errors import DevstackError

SAMPLE = Path(__file__).parents[1] / "sample"
MEDIA_TYPES = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}
SAMPLE_DATASET = "sample"


@dataclass(frozen=True)
class Source:
    """The file to import, its media type and what is known about it."""

    path: Path
    media_type: str
    about: dict[str, Any] = field(default_factory=dict)
    """Metadata of the sample; empty for a user's file."""


def source_of(file: Path | None) -> Source:
    """Return the file to import; raises ``DevstackError`` with exit code 2 when it is absent, empty or unreadable."""
    if file is None:
        about = json.loads((SAMPLE / "metadata.json").read_text())
        return Source(SAMPLE / "tweets.jsonl", MEDIA_TYPES[".jsonl"], about)
    if not file.is_file():
        raise DevstackError(f"There is no file {file}; give a CSV or JSON Lines file with --input.", exit_code=2)
    if file.stat().st_size == 0:
        raise DevstackError(f"{file} is empty; it needs one tweet a line.", exit_code=2)
    if not os.access(file, os.R_OK):
        raise DevstackError(f"{file} cannot be read; check its permissions.", exit_code=2)
    suffix = file.suffix.lower()
    return Source(file, MEDIA_TYPES.get(suffix, MEDIA_TYPES[".jsonl"] if _looks_like_json(file) else "text/csv"))


def _looks_like_json(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
