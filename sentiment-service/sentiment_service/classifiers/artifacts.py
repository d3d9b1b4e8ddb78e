"""A model folder: a manifest that names the files with their digests, and who checks them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REMEDY = "restore it from the release or rebuild it as training/README.md describes"


class ModelError(Exception):
    """A model cannot be loaded; the message says why and what to do."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a model folder; raises ``ModelError`` where there is none that lists its files."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"There is no readable model manifest at {path}; {REMEDY}.") from error
    except ValueError as error:
        raise ModelError(f"The model manifest {path} is not valid JSON; {REMEDY}.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ModelError(f"The model manifest {path} does not list its files; {REMEDY}.")
    return manifest


def read_files(folder: Path, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the content of every file that the manifest lists; raises ``ModelError`` where one is not as listed."""
    return {name: _verified(folder / name, digest) for name, digest in manifest["files"].items()}


def write_manifest(folder: Path, manifest: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Write the manifest with the SHA-256 of each of the named files."""
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    text = json.dumps({**manifest, "files": digests}, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def _verified(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model file {path} is missing or unreadable; {REMEDY}.") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(
            f"The model file {path} ({len(content)} bytes) is truncated or not the one its manifest names; {REMEDY}."
        )
    return content
