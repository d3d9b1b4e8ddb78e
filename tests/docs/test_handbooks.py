"""The handbooks are complete: every threat has a proof, every service a row, every call an edge."""

from __future__ import annotations

import re
from pathlib import Path

from castor_devstack.stack.services import SERVICES

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
THREATS = ROOT / "docs" / "security" / "threat-model.md"
PROOF = re.compile(r"`([\w./-]+\.py)::(\w+)`")


def test_every_mitigation_has_a_proof() -> None:
    """No row of the threat model claims an answer without naming a test."""
    rows = re.findall(r"^\| [STRIDE] \|.*$", THREATS.read_text(), flags=re.MULTILINE)
    assert len(rows) > 25
    assert [row for row in rows if not PROOF.search(row)] == []


def test_the_failure_table_names_every_service() -> None:
    """What users see is said for each of the seven, for PostgreSQL, Redis and the ingress."""
    page = ARCHITECTURE.read_text()
    table = page[page.index("## What users see") : page.index("## From a commit")]
    first = " ".join(re.findall(r"^\| ([^|]+) \|", table, flags=re.MULTILINE))
    assert [part for part in [*(s.name for s in SERVICES), "PostgreSQL", "Redis", "ingress"] if part not in first] == []


def test_the_edges_are_those_of_the_devstack() -> None:
    """The table of edges holds exactly the calls that exist."""
    rows = re.findall(r"^\| ([\w-]+-service) \| ([\w-]+-service) \|", ARCHITECTURE.read_text(), flags=re.MULTILINE)
    assert set(rows) == {(service.name, peer) for service in SERVICES for peer in service.peers}
