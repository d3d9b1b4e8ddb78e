"""A model folder: a manifest that names the files with their digests, and who checks them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
REBUILD = "reinstall the package, or rebuild the encoder with training/README.md."


class EncoderArtifactError(RuntimeError):
    """The encoder's files are missing, damaged or not the ones the manifest lists."""


def verified(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the manifest, and the content of each file that it lists; raises ``EncoderArtifactError``."""
    manifest: dict[str, Any] = json.loads(_read(folder / MANIFEST))
    return manifest, {name: _checked(folder / name, digest) for name, digest in manifest["files"].items()}


def _checked(path: Path, expected: str) -> bytes:
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise EncoderArtifactError(
            f"{path} is damaged or not the listed one "
            f"(sha256 {found[:12]}, the manifest says {expected[:12]}): {REBUILD}"
        )
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EncoderArtifactError(f"{path} cannot be read ({error.strerror}): {REBUILD}") from error
