"""The handbooks point to what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from castor_devstack.stack.services import SERVICES
from tests.observability.conftest import ROOT

PAGES = [ROOT / "docs" / name for name in ("operations.md", "architecture.md", "security/threat-model.md")]
PROOF = re.compile(r"`([\w./-]+\.py)::(\w+)`")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files exist, and so do the headings in them."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_every_proof_is_a_test(page: Path) -> None:
    """A test that a page names as a proof exists in the file that it names."""
    named = PROOF.findall(page.read_text())
    assert len(named) > 10
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in _text(ROOT / file)]
    assert missing == []


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def test_every_mitigation_has_a_proof() -> None:
    """No row of the threat model claims an answer without naming a test."""
    rows = re.findall(r"^\| [STRIDE] \|.*$", PAGES[2].read_text(), flags=re.MULTILINE)
    assert len(rows) > 25
    assert [row for row in rows if not PROOF.search(row)] == []


def test_the_failure_table_names_every_service() -> None:
    """What users see is said for each of the seven, for PostgreSQL, Redis and the ingress."""
    page = PAGES[1].read_text()
    table = page[page.index("## What users see") : page.index("## From a commit")]
    first = " ".join(re.findall(r"^\| ([^|]+) \|", table, flags=re.MULTILINE))
    assert [part for part in [*(s.name for s in SERVICES), "PostgreSQL", "Redis", "ingress"] if part not in first] == []


def test_the_edges_are_those_of_the_devstack() -> None:
    """The table of edges holds exactly the calls that exist."""
    rows = re.findall(r"^\| ([\w-]+-service) \| ([\w-]+-service) \|", PAGES[1].read_text(), flags=re.MULTILINE)
    assert set(rows) == {(service.name, peer) for service in SERVICES for peer in service.peers}
