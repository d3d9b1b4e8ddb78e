"""Fills every table of a database with rows that its constraints accept, whatever the tables are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

_TABLES = """
SELECT c.oid, c.oid::regclass::text AS name FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> 'schema_migrations' ORDER BY 2
"""
_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
       (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = a.atttypid)
           AS labels
FROM pg_attribute a
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
ORDER BY a.attnum
"""
_CONSTRAINTS = """
SELECT k.conname AS name, k.contype::text AS kind, pg_get_constraintdef(k.oid) AS definition, k.confrelid AS target,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c (n, at)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.n ORDER BY c.at) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c (n, at)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.n ORDER BY c.at) AS of_target
FROM pg_constraint k WHERE k.conrelid = $1 AND k.contype IN ('c', 'f')
"""
_VALUES: tuple[tuple[str, str], ...] = (
    (r".*\[\]", "{{}}"),
    (r"(big|small)?int(eger)?", "{n}"),
    (r"(double precision|real|numeric.*)", "{n}.5"),
    (r"bool(ean)?", "true"),
    (r"uuid", "00000000-0000-4000-8000-{n:012d}"),
    (r"timestamp.*", "2026-05-29T05:{minute:02d}:{second:02d}Z"),
    (r"date", "2026-05-{day:02d}"),
    (r"interval", "{n} seconds"),
    (r"bytea", "\\x{n:064x}"),
    (r"jsonb?", '{{"n": {n}}}'),
    (r"(half)?vec(tor)?.*", "[0.{n},0.5]"),
    (r"inet|cidr", "192.0.2.1"),
    (r"tsvector", "palabra{n}"),
)


@dataclass
class TableFiller:
    """Adds ``rows`` rows to each table with every call of ``fill``; ``given`` names values that cannot be guessed."""

    connection: asyncpg.Connection
    given: Mapping[str, str] = field(default_factory=dict)
    """By ``table.column``; ``{n}`` in it is the number of the row."""
    rows: int = 3
    _number: int = 0

    async def fill(self) -> dict[str, int]:
        """Fill all tables and return how many rows each has; an ``AssertionError`` names those that stay empty.

        Raises ``ValueError`` for a constraint that no value is known for.
        """
        waiting = {row["name"]: row["oid"] for row in await self.connection.fetch(_TABLES)}
        while waiting:
            filled = [name for name, oid in waiting.items() if await self._filled(name, oid, set(waiting.values()))]
            assert filled, f"the foreign keys of {sorted(waiting)} go round in a circle"
            for name in filled:
                del waiting[name]
        counts = await self.counts()
        assert all(counts.values()), f"no row could be added to {[name for name, count in counts.items() if not count]}"
        return counts

    async def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        names = [row["name"] for row in await self.connection.fetch(_TABLES)]
        return {name: await self.connection.fetchval(f"SELECT count(*) FROM {name}") for name in names}

    async def _filled(self, table: str, oid: int, waiting: set[int]) -> bool:
        constraints = await self.connection.fetch(_CONSTRAINTS, oid)
        if any(one["kind"] == "f" and one["target"] in waiting - {oid} for one in constraints):
            return False
        columns = await self.connection.fetch(_COLUMNS, oid)
        for _ in range(self.rows):
            self._number += 1
            row = {column["name"]: self._value(table, column) for column in columns}
            for one in constraints:
                if one["kind"] == "f":
                    row |= await self._referenced(one)
            await self._insert(table, columns, constraints, row)
        return True

    def _value(self, table: str, column: asyncpg.Record) -> str | None:
        given = self.given.get(f"{table}.{column['name']}")
        if column["labels"]:
            given = given or column["labels"].split(",")[0]
        pattern = given or next((text for kind, text in _VALUES if re.fullmatch(kind, column["type"])), "{name}-{n}")
        clock = {"minute": self._number // 60 % 60, "second": self._number % 60, "day": 1 + self._number % 28}
        return pattern.format(n=self._number, name=column["name"], **clock)

    async def _referenced(self, key: asyncpg.Record) -> dict[str, str | None]:
        target = await self.connection.fetchval("SELECT $1::oid::regclass::text", key["target"])
        texts = ", ".join(f"{name}::text" for name in key["of_target"])
        found = await self.connection.fetchrow(f"SELECT {texts} FROM {target} LIMIT 1")
        return dict(zip(key["columns"], found or [None] * len(key["columns"]), strict=True))

    async def _insert(
        self, table: str, columns: list[asyncpg.Record], constraints: list[asyncpg.Record], row: dict[str, str | None]
    ) -> None:
        """Insert the row; where a check refuses it, try the texts that the check names, and then no value."""
        names = [column["name"] for column in columns]
        values = ", ".join(f"${at}::text::{column['type']}" for at, column in enumerate(columns, 1))
        sql = f"INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE VALUES ({values})"
        optional = {column["name"] for column in columns if not column["required"]}
        tried: dict[str, list[dict[str, str | None]]] = {}
        while True:
            try:
                async with self.connection.transaction():
                    await self.connection.execute(sql, *(row[name] for name in names))
                return
            except asyncpg.UniqueViolationError:
                return
            except asyncpg.CheckViolationError as error:
                name = str(error.constraint_name)
                if name not in tried:
                    tried[name] = _choices(next(one for one in constraints if one["name"] == name), optional)
                if not tried[name]:
                    raise ValueError(f"give {table} a value that the constraint {name} accepts") from error
                row |= tried[name].pop(0)


def _choices(check: asyncpg.Record, optional: set[str]) -> list[dict[str, str | None]]:
    """Return changes of a row that may satisfy a check."""
    literals = dict.fromkeys(re.findall(r"'([^']*)'", check["definition"]))
    named: list[dict[str, str | None]] = [{column: text} for text in literals for column in check["columns"]]
    return [*named, *({column: None} for column in check["columns"] if column in optional)]


def total(counts: Mapping[str, Any]) -> int:
    """Return how many rows there are in all tables."""
    return sum(counts.values())
