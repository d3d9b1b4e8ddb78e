"""Files, packages and functions stay small enough to be seen whole."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("*/*/py.typed"))
MAX_FILE_LINES = 300
MAX_MODULES = 14
"""About 12 is meant; a router or a schema more is no reason to split a resource."""
MEDIAN_FUNCTION_LINES = 10
LONG_FUNCTION_LINES = 35


def modules_of(package: Path) -> list[Path]:
    return [path for path in package.rglob("*.py") if path.name != "__init__.py"]


def test_all_packages_are_checked() -> None:
    """The seven services, the console, the chassis and the devstack are packages with types, and so are found here."""
    assert len(PACKAGES) == 10


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_files_and_packages_are_seen_whole(package: Path) -> None:
    """No file has more than 300 lines, no package more than 14 modules."""
    lines = {path: len(path.read_text().splitlines()) for path in modules_of(package)}
    assert {str(path): count for path, count in lines.items() if count > MAX_FILE_LINES} == {}
    modules = Counter(path.parent for path in lines)
    assert {str(folder): count for folder, count in modules.items() if count > MAX_MODULES} == {}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_functions_are_seen_whole(package: Path) -> None:
    """Half of the functions have at most 10 lines, nine of ten at most 35."""
    functions = [
        node.end_lineno - node.lineno + 1
        for path in modules_of(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]
    assert statistics.median(functions) <= MEDIAN_FUNCTION_LINES
    assert statistics.quantiles(functions, n=10)[-1] <= LONG_FUNCTION_LINES
