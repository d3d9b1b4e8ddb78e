"""Words that very many documents hold are known without being counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from castor_chassis import Postgres
from rag_service.documents.model import Access, Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.retrieval.common_words_repository import CommonWords
from rag_service.retrieval.model import Filters
from rag_service.retrieval.repository import SearchRepository

DAY = datetime(2022, 5, 1, tzinfo=UTC)
NOW = datetime(2100, 1, 1, tzinfo=UTC)


def _drafts(first: int, text: str, count: int) -> list[Draft]:
    return [Draft(f"d{n}", f"{text} {n}", "x", DAY + timedelta(minutes=n)) for n in range(first, first + count)]


async def test_the_statistics_tell_common_words_of_today(postgres: Postgres, documents: DocumentRepository) -> None:
    """A word of 80 of 100 documents is common, one of 20 is not; of a time before the newest nothing is known."""
    await documents.save([*_drafts(0, "La salud pública", 80), *_drafts(80, "El páramo", 20)])
    await postgres.execute("ANALYZE documents")
    words = CommonWords(postgres, 50)
    common = await words.at(NOW)
    assert set(common) >= {"salud"}
    assert "param" not in common
    assert 70 <= common["salud"] <= 90
    assert await words.at(DAY) == {}
    assert await words.time_of_newest(10, 80) == DAY + timedelta(minutes=99 - 16)
    assert await words.time_of_newest(1000, 80) is None


async def test_before_any_statistics_every_word_is_counted(postgres: Postgres) -> None:
    """A table that PostgreSQL has never looked at has no common words."""
    assert await CommonWords(postgres, 1).at(NOW) == {}


async def test_what_a_search_counted_is_known_for_a_minute(
    postgres: Postgres, documents: DocumentRepository, searches: SearchRepository
) -> None:
    """Counts of words of 100 documents and more are kept; no rarer ones, none of an organisation, none for the past."""
    await documents.save([*_drafts(0, "La salud pública", 120), *_drafts(120, "El páramo", 9)])
    theirs = [Draft(f"own{n}", f"La salud interna {n}", "nota", DAY) for n in range(101)]
    access = Access("acme", (), "user:ana")
    await TenantDocumentRepository(postgres).save(access, "upload", theirs)
    words = searches._common
    found = await searches.lexical("salud interna páramo", Filters(as_of=NOW, access=access), 300)
    assert len(found) == 120 + 9 + 101
    assert await words.counts(NOW) == {"salud": 120}
    assert await words.counts(DAY) == {}
    await documents.save(_drafts(130, "La salud pública", 5))
    assert len(await searches.lexical("salud", Filters(as_of=NOW), 300)) == 125


class Told(CommonWords):
    """What is common is told."""

    async def at(self, _as_of: datetime) -> Mapping[str, int]:
        return {"salud": 90_000, "hospital": 50_000}

    async def time_of_newest(self, _count: int, _documents: int) -> datetime | None:
        return DAY + timedelta(minutes=55)


@pytest.mark.parametrize("limit", [10, 20, 70])
async def test_of_common_words_those_that_hold_both_come_first(
    documents: DocumentRepository, searches: SearchRepository, postgres: Postgres, limit: int
) -> None:
    """However few hold both, and however old they are, they come first, and as many as asked for are found."""
    await documents.save([*_drafts(0, "El hospital y la salud", 12), *_drafts(12, "El hospital abierto", 60)])
    searches._common = Told(postgres, 1)
    found = [candidate.key[0] for candidate in await searches.lexical("salud hospital", Filters(as_of=NOW), limit)]
    assert len(found) == limit
    assert set(found[:12]) <= {f"d{n}" for n in range(12)}


async def test_a_narrow_question_is_counted(
    documents: DocumentRepository, searches: SearchRepository, postgres: Postgres
) -> None:
    """What is common among all documents need not be among those of an author, which are counted."""
    await documents.save(_drafts(0, "La salud y el páramo", 3))
    searches._common = Told(postgres, 1)
    words = ["salud", "páramo", "nada"]
    assert await searches.frequencies(words, Filters(as_of=NOW)) == {"salud": 4000, "páramo": 3, "nada": 0}
    assert (await searches.frequencies(words, Filters(as_of=NOW, source="x")))["salud"] == 3


async def test_a_filter_that_leaves_none_of_the_rarest_words_is_searched_by_the_others(
    documents: DocumentRepository, searches: SearchRepository, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a word is rare or common is counted over all; that a data set holds others of them is found even so."""
    monkeypatch.setattr("rag_service.retrieval.repository.MATCHES", 20)
    here = [replace(draft, datasets=["x"]) for draft in _drafts(0, "La salud", 3)]
    await documents.save([*here, *_drafts(3, "La salud", 15), *_drafts(18, "Un hospital", 10)])
    within = Filters(as_of=NOW, dataset="x")
    assert {one.key[0] for one in await searches.lexical("salud y hospital", within, 5)} == {"d0", "d1", "d2"}
    searches._common = Told(postgres, 1)
    assert {one.key[0] for one in await searches.lexical("salud y hospital", within, 5)} == {"d0", "d1", "d2"}
