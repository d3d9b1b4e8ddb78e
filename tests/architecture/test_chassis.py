"""The chassis stays within the size that ADR 17 gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUDGET_LINES = 6_650


@pytest.fixture(scope="module")
def lines() -> dict[Path, int]:
    """The lines of each module, those of ``testing`` left out."""
    package = ROOT / "chassis" / "castor_chassis"
    paths = [path for path in package.rglob("*.py") if path.parent.name != "testing"]
    return {path.relative_to(package): len(path.read_text().splitlines()) for path in paths}


def test_the_chassis_is_within_its_budget(lines: dict[Path, int]) -> None:
    """All modules together have no more lines than docs/adr/0017 allows, and the record names the same number."""
    total = sum(lines.values())
    assert total <= BUDGET_LINES, f"{total} lines: take something out, or raise the budget in docs/adr/0017"
    assert f"{BUDGET_LINES:,} lines" in (ROOT / "docs" / "adr" / "0017-what-the-chassis-may-hold.md").read_text()
