"""What a run of the main job is asked for."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from castor_devstack.errors import DevstackError
from castor_devstack.job.source import SAMPLE_DATASET

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NOT_NAME = re.compile(r"[^a-z0-9_]+")
_ENDING = re.compile(r"(\.(csv|tsv|txt|xlsx|json|jsonl|ndjson|zip|gz))+$")
"""What files of tweets end with; another part after a point is of the name, as in tuits.2026-05.csv."""
_LONGEST = 64
_PARAMETER = re.compile(r"\b(dates|encoding|columns)=")


@dataclass(frozen=True)
class FileHints:
    """What is said about a file of tweets; None: what is recognised of it."""

    dates: str | None = None
    """Order of day and month in dates such as 3/4/2022: ``dmy`` or ``mdy``."""
    encoding: str | None = None
    columns: str | None = None
    """Headers that are not recognised, as ``FIELD:HEADER``, separated by commas."""
    follow: tuple[str, ...] = ()
    """Names of whom to follow; without any, authors of the file where it speaks of nobody who is followed."""

    @property
    def query(self) -> dict[str, str]:
        """What twitter-service is asked to read the file by."""
        said = {"dates": self.dates, "encoding": self.encoding, "columns": self.columns}
        track = "false" if self.follow else "true"
        return {**{name: value for name, value in said.items() if value}, "track_authors": track}


def names_of(text: str | None) -> tuple[str, ...]:
    """Return the names in a list separated by commas, each once."""
    names = (unicodedata.normalize("NFC", " ".join(name.split())) for name in (text or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def followed(names: Iterable[str]) -> list[dict[str, str]]:
    """Return an entity for each name: ``José Pérez`` is ``jose-perez``. Raises ``DevstackError``."""
    found = [{"id": _plain(name)[:_LONGEST].rstrip("-_"), "name": name, "kind": "candidate"} for name in names]
    for entity in found:
        if not entity["id"]:
            raise DevstackError(f"--follow needs names with letters or digits; not {entity['name']!r}.", exit_code=2)
    return found


def as_options(text: str) -> str:
    """Return what a service says of a file, its parameters as the options of this command."""
    return _PARAMETER.sub(r"--\1=", text)


@dataclass(frozen=True)
class JobRequest:
    """Files, the period in days of Bogotá (both inclusive), and what to ask; None: what the tweets suggest."""

    file: Path | None = None
    dataset: str | None = None
    """Data set that the file is put in; without a file, the one to report on."""
    since: date | None = None
    until: date | None = None
    question: str | None = None
    hints: FileHints = FileHints()


def request_of(
    file: Path | None,
    dataset: str | None,
    since: date | None,
    until: date | None,
    question: str | None,
    hints: FileHints | None = None,
) -> JobRequest:
    """Return what is asked for; ``dataset`` may also be a file. Raises ``DevstackError`` with exit code 2."""
    if since and until and since > until:
        raise DevstackError(f"--since {since} is after --until {until}.", exit_code=2)
    is_file = file is None and dataset and (not NAME.fullmatch(dataset) or Path(dataset).is_file())
    if is_file and dataset:
        file, dataset = Path(dataset), None
    if hints and hints != FileHints() and file is None:
        sentence = "--dates, --encoding, --columns and --follow say something about a file"
        raise DevstackError(f"{sentence}; name it with --input.", exit_code=2)
    if dataset and not NAME.fullmatch(dataset):
        sentence = "has letters a to z, digits, '-' and '_' (at most 64)"
        raise DevstackError(f"The name of a data set {sentence}; not {dataset!r}.", exit_code=2)
    if file and dataset == SAMPLE_DATASET:
        raise DevstackError(f"{dataset!r} is the data set of the invented tweets; choose another name.", exit_code=2)
    name = dataset or (dataset_name(file) if file else None)
    return JobRequest(file, name, since, until, question, hints or FileHints())


def dataset_name(file: Path) -> str:
    """Return the name of the data set of a file: ``Campaña 2022.csv`` is ``campana-2022``, never the sample's."""
    stem = _ENDING.sub("", file.name.lower())
    name = _plain(stem)
    if len(name) > _LONGEST:
        # Long names often differ at their end.
        digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
        name = f"{name[: _LONGEST - 9].rstrip('-_')}-{digest}"
    return f"own-{name}" if name == SAMPLE_DATASET else name or "file"


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return _NOT_NAME.sub("-", plain).strip("-_")
