"""A folder with a model: a manifest that lists its files with their SHA-256, and the check of the files against it.

``manifest.json`` is an object of the model's own members and ``files``, which maps each file's name to its SHA-256 in
hexadecimal. Files are read once: what was verified is what is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


class ModelArtifactError(Exception):
    """A model cannot be loaded; the message says which file is wrong, how, and what to do."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder on disk; ``remedy`` ends every error: "restore it from the release"."""

    path: Path
    remedy: str

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; raises ``ModelArtifactError`` unless it is JSON that lists files in this folder."""
        path = self.path / MANIFEST
        try:
            manifest = json.loads(self._read(MANIFEST))
        except ValueError as error:
            raise self.error(f"the model manifest {path} is not valid JSON") from error
        files = manifest.get("files") if isinstance(manifest, dict) else None
        if not isinstance(files, dict) or not all(map(_is_listed_well, files.items())):
            raise self.error(f"the model manifest {path} does not list its files with their SHA-256")
        return dict(manifest)

    def files(self, manifest: Mapping[str, Any]) -> dict[str, bytes]:
        """Return the content of each listed file; raises ``ModelArtifactError`` where one is not as listed."""
        return {name: self._verified(name, digest) for name, digest in manifest["files"].items()}

    def write_manifest(self, members: Mapping[str, Any], names: Iterable[str]) -> None:
        """Write the manifest: ``members``, and the SHA-256 of each of the named files."""
        digests = {name: hashlib.sha256((self.path / name).read_bytes()).hexdigest() for name in names}
        text = json.dumps({**members, "files": digests}, indent=2, ensure_ascii=False)
        (self.path / MANIFEST).write_text(text + "\n", encoding="utf-8")

    def error(self, problem: str) -> ModelArtifactError:
        """Return the error that says ``problem`` and the remedy."""
        return ModelArtifactError(f"{problem[:1].upper()}{problem[1:]}; {self.remedy}.")

    def _verified(self, name: str, digest: str) -> bytes:
        content = self._read(name)
        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            raise self.error(
                f"{self.path / name} is damaged, truncated or not the one its manifest names "
                f"({len(content)} bytes, SHA-256 {found[:12]}; the manifest says {digest[:12]})"
            )
        return content

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            problem = "no readable model manifest" if name == MANIFEST else "a model file is missing or unreadable"
            raise self.error(f"{problem}: {self.path / name} cannot be read ({error.strerror})") from error


def _is_listed_well(entry: tuple[str, Any]) -> bool:
    """Return whether the entry is the plain name of a file, so that none outside the folder is read, and a text."""
    name, digest = entry
    return name not in ("", ".", "..") and Path(name).name == name and "\\" not in name and isinstance(digest, str)
