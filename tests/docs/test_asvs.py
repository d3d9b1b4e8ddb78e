"""The page on OWASP ASVS claims only what tests hold."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security" / "asvs.md"
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| (met|n/a|open) \| (.+) \|$", re.MULTILINE)
PROOF = re.compile(r"`([\w./-]+\.py)::(\w+)`")
# Level 1 and 2 of ASVS 5.0.0: chapter.section -> numbers.
REQUIREMENTS = {
    "6.1": range(1, 4), "6.2": range(1, 13), "6.3": range(1, 5), "6.4": range(1, 5), "6.5": range(1, 6),
    "6.6": range(1, 4), "6.8": range(1, 5),
    "7.1": range(1, 4), "7.2": range(1, 5), "7.3": range(1, 3), "7.4": range(1, 6), "7.5": range(1, 3),
    "7.6": range(1, 3),
    "8.1": range(1, 3), "8.2": range(1, 4), "8.3": range(1, 2), "8.4": range(1, 2),
    "9.1": range(1, 4), "9.2": range(1, 5),
    "10.1": range(1, 3), "10.2": range(1, 3), "10.3": range(1, 5), "10.4": range(1, 12), "10.5": range(1, 6),
    "10.6": range(1, 3), "10.7": range(1, 4),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, ...]]:
    """The rows of the page: number, level, requirement, state, proof."""
    return ROW.findall(PAGE.read_text())


def test_every_requirement_has_one_row(rows: list[tuple[str, ...]]) -> None:
    """All requirements of level 1 and 2 are there once, in their order, and no other."""
    wanted = [f"{section}.{number}" for section, numbers in REQUIREMENTS.items() for number in numbers]
    assert [row[0] for row in rows] == wanted


def test_every_test_named_exists(rows: list[tuple[str, ...]]) -> None:
    """What is said to be met names a test, and every test named stands in the file named."""
    assert [row[0] for row in rows if row[3] == "met" and not PROOF.search(row[4])] == []
    named = {proof for row in rows for proof in PROOF.findall(row[4])}
    assert len(named) > 40
    sources = {path: (ROOT / path).read_text() if (ROOT / path).exists() else "" for path, _ in named}
    assert [f"{path}::{name}" for path, name in sorted(named) if f"def {name}(" not in sources[path]] == []


def test_the_counts_are_those_of_the_rows(rows: list[tuple[str, ...]]) -> None:
    """The sum at the head of the page is that of its rows, and what does not apply or is open says why."""
    counted = Counter(row[3] for row in rows)
    assert f"**{counted['met']} met, {counted['n/a']} n/a, {counted['open']} open**" in PAGE.read_text()
    assert [row[0] for row in rows if row[3] != "met" and len(row[4]) < 8] == []
