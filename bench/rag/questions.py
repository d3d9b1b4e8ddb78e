"""Spanish questions of analysts, journalists and campaigns, and which tweets answer them.

`questions_es.tsv` asks of the 8,428 public tweets of four candidates of 2022 (`real`; repository
MachineMindCore/politics_tweets) and of the bundled sample (`sample`). `part` splits them: constants of the service were
chosen on `tuned`, `held` is what a report counts. `answered` marks those of the held part whose answers are scored by
`rubric.md`. `judgements_es.tsv` holds ids of tweets and no text: 2 answers the question, 1 is on its subject, 0 is
neither. Each was judged by reading it, in a shuffled pool of the best 15 of BM25, of vectors alone and of hybrid search
(of the last also within an account that the question names), and of the best 12 of the search as it is now. Texts of
the same words have the same grade. No tweet answers a question of the kind `nobody`.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("CASTOR_DATA") or _HERE.parents[2] / "shared" / "data")
REAL = DATA / "colombia_2022_tweets.csv"
_SAMPLE = _HERE.parents[1] / "devstack" / "castor_devstack" / "sample" / "tweets.jsonl"
AS_OF = {"real": datetime(2022, 7, 31, tzinfo=UTC), "sample": datetime(2026, 6, 1, tzinfo=UTC)}
"""When the questions of each corpus are asked: after its last tweet."""


@dataclass(frozen=True, slots=True)
class Tweet:
    """One tweet of a corpus."""

    id: str
    username: str
    created_at: datetime
    text: str
    corpus: str


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question, and the grades of its judged tweets by id."""

    id: str
    corpus: str
    kind: str
    held: bool
    answered: bool
    text: str
    grades: dict[str, int]

    @property
    def relevant(self) -> dict[str, int]:
        """The grades of those that are on its subject."""
        return {name: grade for name, grade in self.grades.items() if grade}


def questions() -> list[JudgedQuestion]:
    """Return all questions, in the order of the file."""
    grades: dict[str, dict[str, int]] = {}
    for row in _rows("judgements_es.tsv"):
        named = dict.fromkeys(row["tweets"].split(), int(row["grade"]))
        grades.setdefault(row["question"], {}).update(named)
    return [
        JudgedQuestion(
            row["id"],
            row["corpus"],
            row["kind"],
            row["part"] == "held",
            row["answered"] == "yes",
            row["question"],
            grades[row["id"]],
        )
        for row in _rows("questions_es.tsv")
    ]


def corpus(name: str) -> list[Tweet]:
    """Return the tweets of ``real`` (none where the file is absent) or ``sample`` that have a text."""
    if name == "sample":
        rows = [json.loads(line) for line in _SAMPLE.read_text(encoding="utf-8").splitlines()]
    elif REAL.is_file():
        with REAL.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = []
    return [
        Tweet(row["id"], row["username"], datetime.fromisoformat(row["created_at"]), row["text"], name)
        for row in rows
        if row["text"].strip()
    ]


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
