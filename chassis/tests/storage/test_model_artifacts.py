"""Folders of models: what was verified is what is used, and every kind of damage is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from castor_chassis import ModelArtifactError, ModelFolder

REMEDY = "restore it from the release"


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    """A sound folder with two files."""
    (tmp_path / "weights.bin").write_bytes(b"\x00\x01" * 100)
    (tmp_path / "words.txt").write_text("años", encoding="utf-8")
    made = ModelFolder(tmp_path, REMEDY)
    made.write_manifest({"model": "tiny", "dimensions": 3}, ("weights.bin", "words.txt"))
    return made


def test_reads_what_was_written(folder: ModelFolder) -> None:
    """The manifest comes back with its members, and the bytes of each listed file."""
    manifest = folder.manifest()
    assert (manifest["model"], manifest["dimensions"]) == ("tiny", 3)
    assert folder.files(manifest) == {"weights.bin": b"\x00\x01" * 100, "words.txt": "años".encode()}


def test_the_verified_bytes_are_those_used(folder: ModelFolder) -> None:
    """A file that is replaced after the check changes nothing: it is not read again."""
    files = folder.files(folder.manifest())
    (folder.path / "weights.bin").write_bytes(b"other")
    assert files["weights.bin"] == b"\x00\x01" * 100


def listing(files: object) -> Callable[[Path], object]:
    """Return a change that makes the manifest list ``files``."""
    return lambda path: (path / "manifest.json").write_text(json.dumps({"files": files}))


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda path: (path / "manifest.json").unlink(), r"no readable model manifest.*manifest\.json cannot be read"),
        (lambda path: (path / "manifest.json").write_text("{"), "manifest.json is not valid JSON"),
        (lambda path: (path / "manifest.json").write_bytes(b"\xff\xfe"), "manifest.json is not valid JSON"),
        (lambda path: (path / "manifest.json").write_text("[]"), "does not list its files"),
        (listing(None), "does not list its files"),
        (listing({"weights.bin": 5}), "does not list its files"),
        (listing({"../secret": "00"}), "does not list its files"),
        (listing({"/etc/passwd": "00"}), "does not list its files"),
        (lambda path: (path / "words.txt").unlink(), r"missing or unreadable.*words\.txt cannot be read"),
        (lambda path: (path / "words.txt").write_text("otra"), r"words\.txt is damaged.*4 bytes"),
        (lambda path: (path / "weights.bin").write_bytes(b"\x00"), r"weights\.bin is damaged, truncated"),
    ],
)
def test_damage_is_named_with_its_remedy(folder: ModelFolder, damage: Callable[[Path], object], cause: str) -> None:
    """Whatever is missing, cut, replaced or lies outside the folder raises one error that says what and what to do."""
    damage(folder.path)
    with pytest.raises(ModelArtifactError, match=f"(?i){cause}") as raised:
        folder.files(folder.manifest())
    assert str(raised.value).endswith(f"{REMEDY}.")
