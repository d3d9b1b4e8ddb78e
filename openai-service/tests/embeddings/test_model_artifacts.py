"""The folders of the bundled encoders: small, and refused when something in them is missing or damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from castor_chassis import ModelArtifactError
from openai_service.embeddings import static_encoder, transformer

STATIC = (static_encoder.FOLDER, static_encoder.StaticEncoder.load)
TRANSFORMER = (transformer.FOLDER, transformer.TransformerEncoder.load)
BOTH = pytest.mark.parametrize(("folder", "load"), [STATIC, TRANSFORMER], ids=["static", "transformer"])
Load = Callable[[Path], object]


@pytest.mark.parametrize(("folder", "most_bytes"), [(STATIC[0], 5_000_000), (TRANSFORMER[0], 40_000_000)])
def test_it_is_small(folder: Path, most_bytes: int) -> None:
    """Everything shipped with an encoder stays under a bound."""
    assert sum(path.stat().st_size for path in folder.iterdir()) < most_bytes


@BOTH
def test_a_missing_file_is_named(folder: Path, load: Load, tmp_path: Path) -> None:
    """Loading without one of the files says which one and what to do."""
    for path in folder.iterdir():
        if path.suffix == ".md":
            continue
        copy = shutil.copytree(folder, tmp_path / path.stem)
        (copy / path.name).unlink()
        with pytest.raises(ModelArtifactError, match=f"{path.name} cannot be read.*rebuild"):
            load(copy)


@BOTH
def test_a_truncated_file_is_refused(folder: Path, load: Load, tmp_path: Path) -> None:
    """A truncated file is never used."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    largest = max(copy.iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1000])
    with pytest.raises(ModelArtifactError, match=f"{largest.name} is damaged"):
        load(copy)


@BOTH
def test_a_manifest_that_lies_about_the_length_is_refused(folder: Path, load: Load, tmp_path: Path) -> None:
    """The declared dimensions are checked against the weights."""
    manifest = shutil.copytree(folder, tmp_path / "copy") / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"dimensions": 200}))
    with pytest.raises(ModelArtifactError, match="its manifest says 200"):
        load(manifest.parent)
