"""What a run of the main job is asked for."""

from __future__ import annotations

import hashlib
import re
import unicodedata
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


@dataclass(frozen=True)
class JobRequest:
    """Files, the period in days of Bogotá (both inclusive), and what to ask; None: what the tweets suggest."""

    file: Path | None = None
    dataset: str | None = None
    """Data set that the file is put in; without a file, the one to report on."""
    since: date | None = None
    until: date | None = None
    question: str | None = None


def request_of(
    file: Path | None, dataset: str | None, since: date | None, until: date | None, question: str | None
) -> JobRequest:
    """Return what is asked for; ``dataset`` may also be a file. Raises ``DevstackError`` with exit code 2."""
    if since and until and since > until:
        raise DevstackError(f"--since {since} is after --until {until}.", exit_code=2)
    is_file = file is None and dataset and (not NAME.fullmatch(dataset) or Path(dataset).is_file())
    if is_file and dataset:
        file, dataset = Path(dataset), None
    if dataset and not NAME.fullmatch(dataset):
        sentence = "has letters a to z, digits, '-' and '_' (at most 64)"
        raise DevstackError(f"The name of a data set {sentence}; not {dataset!r}.", exit_code=2)
    if file and dataset == SAMPLE_DATASET:
        raise DevstackError(f"{dataset!r} is the data set of the invented tweets; choose another name.", exit_code=2)
    return JobRequest(file, dataset or (dataset_name(file) if file else None), since, until, question)


def dataset_name(file: Path) -> str:
    """Return the name of the data set of a file: ``Campaña 2022.csv`` is ``campana-2022``, never the sample's."""
    stem = _ENDING.sub("", file.name.lower())
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = _NOT_NAME.sub("-", plain).strip("-_")
    if len(name) > _LONGEST:
        # Long names often differ at their end.
        digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
        name = f"{name[: _LONGEST - 9].rstrip('-_')}-{digest}"
    return f"own-{name}" if name == SAMPLE_DATASET else name or "file"
