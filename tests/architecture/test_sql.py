"""SQL stands in repository modules only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path for path in ROOT.glob("*-service/*_service") if path.is_dir())
# A statement, or a part of one that is put together, begins with one of these words in capitals.
SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|CREATE|DROP|ALTER|TRUNCATE|COPY|LOCK|SET|LISTEN|NOTIFY|VACUUM|ANALYZE|"
    r"FROM|JOIN|LEFT JOIN|WHERE|AND|OR|ORDER BY|GROUP BY|LIMIT|VALUES|ON CONFLICT|RETURNING)\s+\S"
)


def sql_in(source: str) -> Iterator[str]:
    """Yield the string literals of a module that are SQL, those inside f-strings included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield f"line {node.lineno}: {' '.join(node.value.split())[:60]}"


def is_repository(path: Path) -> bool:
    """Return whether a module is named as one that may hold SQL."""
    return path.stem == "repository" or path.stem.endswith("_repository")


@pytest.fixture(scope="module")
def with_sql() -> dict[str, list[str]]:
    """The modules of the services that hold SQL, with what was found."""
    modules = {path: list(sql_in(path.read_text())) for package in SERVICES for path in package.rglob("*.py")}
    return {path.relative_to(ROOT).as_posix(): found for path, found in modules.items() if found}


def test_sql_stands_in_repositories_only(with_sql: dict[str, list[str]]) -> None:
    """No other module of a service holds a string that is SQL."""
    assert {name: found for name, found in with_sql.items() if not is_repository(Path(name))} == {}


def test_routes_know_no_repository() -> None:
    """Routes and wire models take records from ``model.py``; of ``api/`` only ``resources.py`` names repositories."""
    found = [
        f"{path.relative_to(ROOT)}: {node.module}"
        for package in SERVICES
        for path in (package / "api").rglob("*.py")
        if path.name != "resources.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and is_repository(Path(f"{(node.module or '').rpartition('.')[2]}.py"))
    ]
    assert found == []


def test_every_service_with_a_database_has_a_repository(with_sql: dict[str, list[str]]) -> None:
    """The search finds what is there: each service that has migrations has a repository with SQL."""
    assert len(SERVICES) == 7
    stored = {package.name for package in SERVICES if (package / "migrations").is_dir()}
    assert stored == {Path(name).parts[1] for name in with_sql if is_repository(Path(name))}
    assert len(stored) >= 5


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('db.fetch("SELECT 1")', True),
        ('"""\\n    WITH x AS (SELECT 1) SELECT * FROM x"""', True),
        ("f'INSERT INTO {table} VALUES ($1)'", True),
        ("f'{start} WHERE id = $1'", True),
        ('"Select a model, or set one."', False),
        ('"""Update the row and return it."""', False),
        ('methods = ["GET", "DELETE"]', False),
    ],
)
def test_sql_is_told_from_prose(source: str, found: bool) -> None:
    """Statements are found wherever they begin; sentences and names are not."""
    assert bool(list(sql_in(source))) is found
