"""``card.json`` of a model folder: figures by genre, country and kind, and what each file may be used for.

The manifest lists the file with its digest like any other. The format is described in ``training/README.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from castor_chassis import ModelFolder

CARD_FILE = "card.json"
Answers = Literal["texts", "targets"]
Slice = Literal["source", "genre", "country", "kind"]
Variant = Literal["shipped", "without_research_sources"]
Clearance = Literal["research", "any"]
Measure = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[int, Field(ge=1)]
_REMEDY = "write it as training/README.md, section The card, describes"


@dataclass(frozen=True, slots=True)
class Figure:
    """How well a model did on rows of one source, genre, country or kind that trained nothing; measures in [0, 1].

    ``standard_error`` is that of ``macro_f1``. ``whole_text_...`` is, of answers towards targets, what the label of the
    whole text reaches on the same rows.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    answers: Answers
    by: Slice
    of: str
    rows: Rows
    macro_f1: Measure | None = None
    accuracy: Measure | None = None
    standard_error: Measure | None = None
    calibration_error: Measure | None = None
    whole_text_macro_f1: Measure | None = None
    whole_text_accuracy: Measure | None = None
    variant: Variant = "shipped"
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """Texts that trained a file, and what their licence allows; ``rows`` is None where nobody says."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    licence: str
    cleared_for: Clearance
    rows: Rows | None = None


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file of the model, and the use that all of its sources allow."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    licence: str
    cleared_for: Clearance
    trained_on: tuple[TrainingSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """The content of a ``card.json``; empty for a model without one."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    figures: tuple[Figure, ...] = ()
    files: tuple[CardFile, ...] = ()


_RECORD = TypeAdapter(Record)


def record_of(files: Mapping[str, bytes]) -> Record:
    """Read the card among the verified files of a model folder; raises ``ValueError`` where it is not as described."""
    content = files.get(CARD_FILE)
    return Record() if content is None else parsed(content)


def parsed(content: bytes) -> Record:
    """Return the record that a ``card.json`` holds; raises ``ValueError`` that says what is wrong and where."""
    try:
        record = _RECORD.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise ValueError(f"{CARD_FILE} is not a card: {place}: {first['msg']}; {_REMEDY}") from error
    for file in record.files:
        if file.cleared_for == "any" and any(source.cleared_for == "research" for source in file.trained_on):
            raise ValueError(f"{CARD_FILE} clears {file.name} for any use, but sources of it are for research only")
    return record


def add_card(folder: Path, content: bytes) -> None:
    """Put a card into a model folder and list it in the manifest; raises ``ValueError`` where it is none."""
    parsed(content)
    model = ModelFolder(folder, _REMEDY)
    manifest: dict[str, Any] = model.manifest()
    (folder / CARD_FILE).write_bytes(content)
    names = dict.fromkeys([*manifest.pop("files"), CARD_FILE])
    model.write_manifest(manifest, names)
