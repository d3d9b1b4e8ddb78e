"""Real tweets with a negation, with slang or with irony, through the mTLS API: a model beside an earlier release's.

    CASTOR_KINDS=FILE [CASTOR_FORMER_MODEL=FOLDER] .venv/bin/python -m bench sentiment_kinds

``CASTOR_KINDS`` has `kind TAB label TAB text` lines (`sentiment-service/training/compare.py --kinds` writes one from
public sets); the label of ironic tweets is empty, because what is known of them is only that they mean the opposite.
Printed for each kind and model: macro-F1 and accuracy where there are labels, and the share called positive.
``CASTOR_FORMER_MODEL`` is as in ``targets``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.sentiment.accuracy import macro_f1
from bench.sentiment.equality import HUNDRED, LABELS, PATIENT, Service
from bench.sentiment.targets import FORMER
from bench.sentiment.throughput import MODEL, client_of
from castor_chassis.testing import Authority

Row = tuple[str, str, str]
"""Kind, label, text."""


def rows() -> list[Row]:
    """Return the rows of the file; ends the program where there is none."""
    path = Path(os.environ.get("CASTOR_KINDS", ""))
    if not path.is_file():
        sys.exit("set CASTOR_KINDS to a file of `kind TAB label TAB text` lines")
    lines = (line.split("\t", 2) for line in path.read_text(encoding="utf-8").splitlines())
    return [(kind, label, text) for kind, label, text in lines]


async def answers(model: str, texts: Sequence[str]) -> list[str]:
    """Return the label that a service of ``model`` gives each text."""
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(Authority.create(), Path(folder), sentiment_model=model, **PATIENT) as (_, client):
            scores = await Service(client).texts(texts, HUNDRED)
    return [LABELS[max(range(len(LABELS)), key=one.__getitem__)] for one in scores]


def line(name: str, truth: Sequence[str], found: Sequence[str]) -> str:
    """Return what is printed of one kind and one model."""
    positive = found.count("positive") / len(found)
    scores = " " * 20
    if all(truth):
        right = sum(one == two for one, two in zip(truth, found, strict=True)) / len(truth)
        scores = f"{macro_f1(truth, found):10.3f}{right:10.3f}"
    return f"{name:28}{len(found):7}{scores}{positive:12.3f}"


async def run() -> None:
    """Measure and print the table."""
    given = rows()
    print(f"{'':28}{'texts':>7}{'macro-F1':>10}{'accuracy':>10}{'positive':>12}")
    for name, model in (("this model", MODEL), ("the former", FORMER)):
        found = await answers(model, [text for *_, text in given]) if model else []
        for kind in dict.fromkeys(kind for kind, *_ in given) if found else ():
            at = [place for place, row in enumerate(given) if row[0] == kind]
            print(line(f"{name}, {kind}", [given[place][1] for place in at], [found[place] for place in at]))


def main() -> None:
    """Print the table."""
    asyncio.run(run())
