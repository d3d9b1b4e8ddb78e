"""Text is normalised by the function whose time grows with the length of the text alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("*/*/py.typed"))
# That of the chassis, and that of a process which does not load the chassis.
OWN = {"castor_chassis/text/folding.py", "twitter_service/matching/folding.py"}
# Reads names of files that its own user gives.
LOCAL = "castor_devstack"


@pytest.mark.parametrize("package", [path for path in PACKAGES if path.name != LOCAL], ids=lambda path: path.name)
def test_text_is_normalised_by_the_chassis(package: Path) -> None:
    """No module calls ``unicodedata.normalize``, which one letter with many marks keeps busy for minutes."""
    calls = {
        str(path.relative_to(package.parent))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "unicodedata.normalize"
    }
    assert calls - OWN == set()
