"""Hashes and lines of the audit log."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_service.audit.hash_chain import BEGINNING, ChainCheck, Verdict, as_line, from_line, link_hash
from auth_service.audit.repository import Link

pytestmark = pytest.mark.asyncio(loop_scope="module")
_TEXT = st.none() | st.text(max_size=20)


@given(
    who=st.tuples(_TEXT, _TEXT, _TEXT, _TEXT), details=st.dictionaries(st.text(max_size=5), st.text() | st.integers())
)
@settings(max_examples=100)
async def test_a_line_is_read_back_as_it_was(who: tuple[Any, ...], details: dict[str, Any]) -> None:
    """A link survives its line of JSON, and a check accepts it after it."""
    first = Link(1, 7, "2026-05-31T00:00:00.000001Z", *who, details, b"")
    link = Link(*(getattr(first, name) for name in Link.__slots__[:-1]), link_hash(b"", first))
    verdict = Verdict()
    ChainCheck(verdict, BEGINNING).follow([from_line(as_line(link))])
    assert (verdict.problems, verdict.events) == ([], 1)


async def test_any_text_is_hashed_alike_in_sql_and_here(database: asyncpg.Connection) -> None:
    """PostgreSQL's JSON of quotes, controls, accents and signs is the one that the check writes."""
    odd = '"\\/\b\f\n\r\t\x01\x1f\x7f ñ é 🗳 </script>   '
    row = await database.fetchrow(
        "SELECT audit_event_text(e) AS text FROM (SELECT (jsonb_populate_record(NULL::audit_events, "
        "jsonb_build_object('id', 9, 'at', '2026-05-31T05:00:00.5Z', 'event', $1::text, 'details', "
        "jsonb_build_object('z', $1::text, 'aa', 12, 'b', true, 'n', null)))).*) e",
        odd,
    )
    details = {"b": True, "n": None, "z": odd, "aa": 12}
    expected = [9, "2026-05-31T05:00:00.500000Z", odd, None, None, None, details]
    assert row is not None
    assert json.loads(row["text"]) == expected
    assert row["text"] == json.dumps(expected, ensure_ascii=False)
