"""``card.json``: what a model folder says of its quality and its licences, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_model import write_tiny  # type: ignore[import-not-found]

from castor_chassis import ModelArtifactError
from sentiment_service.classifiers.card import CARD_FILE, add_card
from sentiment_service.classifiers.loader import load_model

FIGURE = {"answers": "targets", "by": "country", "of": "Colombia", "rows": 340, "macro_f1": 0.5}
RESEARCH = {"name": "TASS 2020", "rows": 8000, "licence": "research only", "cleared_for": "research"}


def file_of(source: dict[str, Any], cleared_for: str) -> dict[str, Any]:
    return {"name": "model.onnx", "licence": "MIT", "cleared_for": cleared_for, "trained_on": [source]}


def as_card(**members: Any) -> bytes:
    return json.dumps(members).encode()


def test_a_card_is_read_with_the_model(tmp_path: Path) -> None:
    """A card that was added is listed in the manifest and comes with the model; a folder without one has none."""
    folder = write_tiny(tmp_path)
    assert load_model(str(folder)).model.record.figures == ()
    add_card(folder, as_card(figures=[FIGURE], files=[file_of(RESEARCH, "research")]))
    record = load_model(str(folder)).model.record
    assert (record.figures[0].of, record.figures[0].variant, record.files[0].trained_on[0].rows) == (
        "Colombia", "shipped", 8000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (as_card(figures=[FIGURE | {"macro_f1": 1.5}]), "figures.0.macro_f1"),
        (as_card(figures=[FIGURE | {"by": "weather"}]), "figures.0.by"),
        (as_card(figures=[FIGURE | {"rows": 0}]), "figures.0.rows"),
        (as_card(figured=[]), "figured"),
        (as_card(files=[file_of(RESEARCH, "any")]), "for research only"),
        (b"{", "Invalid JSON"),
    ],
)
def test_what_is_no_card_is_refused(tmp_path: Path, card: bytes, reason: str) -> None:
    """A wrong measure, slice, member, clearance or JSON is refused where it is added, with its place."""
    with pytest.raises(ValueError, match="card.json") as refused:
        add_card(write_tiny(tmp_path), card)
    assert reason in str(refused.value)
    assert not (tmp_path / CARD_FILE).exists()


def test_a_card_that_was_changed_is_refused_with_the_model(tmp_path: Path) -> None:
    """The card is one of the files that the manifest vouches for."""
    folder = write_tiny(tmp_path)
    add_card(folder, as_card(figures=[FIGURE]))
    (folder / CARD_FILE).write_bytes(as_card(figures=[FIGURE | {"macro_f1": 0.9}]))
    with pytest.raises(ModelArtifactError, match="damaged, truncated or not the one"):
        load_model(str(folder))
