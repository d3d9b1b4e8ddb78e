"""An organisation tries to see, change or move the documents of another: PostgreSQL lets it do nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from castor_chassis import Postgres, Unavailable
from castor_devstack.stack.postgres import EmbeddedPostgres
from rag_service.documents.access_repository import accessing, check_isolated
from rag_service.documents.model import Access, Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.service import DocumentService
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.embeddings.model import Embeddings
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.errors import DocumentNotFound, NotForYourRoles
from rag_service.retrieval.model import Filters
from rag_service.retrieval.repository import SearchRepository

A = Access("a", ("analyst",), "user:mallory")
B = Access("b", ("analyst",), "user:bob")
CHIEF = Access("b", ("admin",), "user:chief")
NOW = datetime(2100, 1, 1, tzinfo=UTC)
DAY = datetime(2022, 5, 1, tzinfo=UTC)
VECTOR = [1.0] + [0.0] * 7
SECRET = "El plan secreto de hospitales"
KEY = ("plan", DAY)
_DOCUMENT = "(tenant, id, published_at, origin, stored_by, source, text, content_hash, searched)"


@dataclass(frozen=True)
class Store:
    """Everything that reads or writes documents."""

    documents: DocumentService
    searches: SearchRepository
    embeddings: EmbeddingRepository
    postgres: Postgres

    async def sql(self, statement: str, *values: object, access: Access = A) -> list[asyncpg.Record]:
        """Run a statement of one's own as ``access``."""
        async with accessing(self.postgres, access) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return rows


@pytest.fixture
async def store(
    postgres: Postgres, documents: DocumentRepository, searches: SearchRepository, embeddings: EmbeddingRepository
) -> Store:
    """B has a document for all of its members and one for its administrators, both embedded; A has nothing."""
    service = DocumentService(documents, TenantDocumentRepository(postgres))
    plan = Draft("plan", SECRET, "interno", DAY, author="bob", entities=["petro"])
    chief = Draft("chief", "Solo para la jefatura: hospitales", "interno", DAY, readers=["admin"])
    await service.store(B, "upload", [plan])
    await service.store(CHIEF, "upload", [chief])
    pending = await embeddings.pending(10, 1000)
    await embeddings.set_embeddings(pending, Embeddings("m", 8, [VECTOR] * len(pending)))
    await service.store(B, "upload", [Draft("old", "Borrador viejo de hospitales", "interno", DAY)])
    await service.erase(B, "old")
    return Store(service, searches, embeddings, postgres)


def of(access: Access, **filters: Any) -> Filters:
    """Return filters of a reader."""
    return Filters(as_of=NOW, access=access, **filters)


Attempt = Callable[[Store], Awaitable[object]]
ATTEMPTS: dict[str, Attempt] = {
    "read by id": lambda s: s.documents.document(A, "plan"),
    "read for a role": lambda s: s.documents.document(replace(A, roles=("admin",)), "chief"),
    "erase": lambda s: s.documents.erase(A, "plan"),
    "list erasures": lambda s: s.documents.erasures(A, 2**62, 10),
    "search words": lambda s: s.searches.lexical("plan secreto", of(A), 10),
    "search words of an author": lambda s: s.searches.lexical("plan secreto", of(A, author="bob"), 10),
    "search words of a source": lambda s: s.searches.lexical("hospitales", of(A, source="interno"), 10),
    "search meaning": lambda s: s.searches.dense(VECTOR, "m", of(A), 10),
    "search meaning of an entity": lambda s: s.searches.dense(VECTOR, "m", of(A, entity="petro"), 10),
    "search as nobody": lambda s: s.searches.lexical("plan secreto", of(Access()), 10),
    "fetch by key": lambda s: s.searches.documents([KEY], A),
    "fetch vectors": lambda s: s.searches.vectors([KEY], A),
    "count words": lambda s: _nothing(s.searches.frequencies(["secreto"], of(A))),
    "count copies": lambda s: s.searches.copies([Draft("x", SECRET, "x").words_hash], of(A)),
    "select the table": lambda s: s.sql("SELECT * FROM tenant_documents"),
    "select the view": lambda s: s.sql("SELECT * FROM readable_documents"),
    "select naming the owner": lambda s: s.sql("SELECT * FROM tenant_documents WHERE tenant = 'b'"),
    "always true": lambda s: s.sql("SELECT * FROM tenant_documents WHERE tenant = 'b' OR true"),
    "join": lambda s: s.sql("SELECT t.text FROM tenant_documents t, tenant_documents u WHERE u.tenant <> t.tenant"),
    "count rows": lambda s: s.sql("SELECT 1 FROM tenant_documents HAVING count(*) > 0"),
    "leak by an error": lambda s: s.sql("SELECT 1 / (length(text) - length(text)) FROM tenant_documents"),
    "update": lambda s: s.sql("UPDATE tenant_documents SET text = 'otro' RETURNING id"),
    "take over": lambda s: s.sql("UPDATE tenant_documents SET tenant = 'a' WHERE id = 'plan' RETURNING id"),
    "open to all": lambda s: s.sql("UPDATE tenant_documents SET readers = '{}' RETURNING id"),
    "delete": lambda s: s.sql("DELETE FROM tenant_documents RETURNING id"),
    "lock": lambda s: s.sql("SELECT id FROM tenant_documents FOR UPDATE"),
    "copy out": lambda s: s.sql(
        f"INSERT INTO tenant_documents {_DOCUMENT} SELECT 'a', 'mine', published_at, origin, stored_by, source, text, "
        "content_hash, searched FROM tenant_documents RETURNING id"
    ),
    "read erasures": lambda s: s.sql("SELECT * FROM erasures"),
    "another case of the name": lambda s: s.sql("SELECT * FROM tenant_documents", access=replace(A, tenant="B")),
    "a pattern as name": lambda s: s.sql("SELECT * FROM tenant_documents", access=replace(A, tenant="%")),
    "a list as name": lambda s: s.sql("SELECT * FROM tenant_documents", access=replace(A, tenant="a,b")),
    "no name": lambda s: s.sql("SELECT * FROM tenant_documents", access=replace(A, tenant="")),
    "a colleague without the role": lambda s: s.sql("SELECT * FROM tenant_documents WHERE id = 'chief'", access=B),
    "roles in one string": lambda s: s.sql(
        "SELECT * FROM tenant_documents WHERE id = 'chief'", access=replace(B, roles=("{admin}",))
    ),
}


def _planted(tenant: str, document_id: str = "x", origin: str = "upload") -> str:
    values = f"('{tenant}', '{document_id}', now(), '{origin}', 'm', 's', 't', 'h', 't')"
    return f"INSERT INTO tenant_documents {_DOCUMENT} VALUES {values}"


REFUSED: dict[str, str] = {
    "plant": _planted("b"),
    "pose as the feed": _planted("a", "tweet:1"),
    "forge an origin": _planted("a", origin="feed"),
    "belong to all": _planted("*"),
    "forge an erasure": "INSERT INTO erasures (tenant, document_id, erased_by) VALUES ('b', 'plan', 'user:bob')",
}


async def _nothing(counted: Awaitable[dict[str, int]]) -> int:
    return sum((await counted).values())


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_another_organisation_sees_and_changes_nothing(store: Store, name: str) -> None:
    """Each attempt finds nothing or is refused, and B's documents are afterwards as they were."""
    try:
        found = await ATTEMPTS[name](store)
    except DocumentNotFound:
        found = None
    assert not found
    assert (await store.documents.document(B, "plan")).text == SECRET
    assert (await store.documents.document(CHIEF, "chief")).id == "chief"


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_written_is_refused_by_postgresql(store: Store, name: str) -> None:
    """A row for another organisation, for all, of the feed or with its origin is an error of the database."""
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
        await store.sql(REFUSED[name])


async def test_nobody_writes_what_his_roles_may_not_read(store: Store) -> None:
    """A member without the role can neither replace the administrators' document nor make one for them."""
    for forbidden in (Draft("chief", "Otro texto", "x", DAY), Draft("new", "Texto", "x", DAY, readers=["admin"])):
        with pytest.raises(NotForYourRoles):
            await store.documents.store(B, "upload", [forbidden])
    assert (await store.documents.document(CHIEF, "chief")).text.startswith("Solo para")


async def test_the_same_id_in_two_organisations_is_two_documents(store: Store) -> None:
    """What A stores under B's id is A's alone, and A's erasure leaves B's."""
    await store.documents.store(A, "upload", [Draft("plan", "El plan de A", "x", DAY)])
    assert (await store.documents.document(A, "plan")).text == "El plan de A"
    assert (await store.documents.document(B, "plan")).text == SECRET
    await store.documents.erase(A, "plan")
    assert (await store.documents.document(B, "plan")).text == SECRET


async def test_members_find_their_own_and_the_shared(store: Store, documents: DocumentRepository) -> None:
    """B finds its document and the tweets, a member without the role not the one for administrators; counts agree."""
    await documents.save([Draft("tweet:1", "Hospitales para todos", "twitter", DAY)])
    found = await store.searches.lexical("hospitales", of(B), 10)
    assert sorted(candidate.key[0] for candidate in found) == ["plan", "tweet:1"]
    chief = await store.searches.lexical("hospitales", of(CHIEF), 10)
    assert sorted(candidate.key[0] for candidate in chief) == ["chief", "plan", "tweet:1"]
    assert [candidate.key[0] for candidate in await store.searches.lexical("hospitales", of(A), 10)] == ["tweet:1"]
    counts = [(await store.embeddings.counts(access)).documents for access in (A, B, CHIEF)]
    assert counts == [1, 2, 3]


def test_the_attempts_are_at_least_thirty() -> None:
    """The list does not shrink unnoticed."""
    assert len(ATTEMPTS) + len(REFUSED) >= 30


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
async def test_a_role_that_row_level_security_does_not_bind_is_no_role_for_the_service(
    postgres: Postgres, shared_postgres: EmbeddedPostgres, power: str
) -> None:
    """With a superuser in DATABASE_URL the service is not ready, and says what to do; with its own role it is."""
    await check_isolated(postgres)
    role = f"mighty_{power.lower()}"
    shared_postgres.run_sql(f"DROP ROLE IF EXISTS {role}")
    shared_postgres.run_sql(f"CREATE ROLE {role} LOGIN {power} PASSWORD 'mighty'")
    mighty = Postgres(shared_postgres.url("postgres", role, "mighty"))
    await mighty.open()
    with pytest.raises(Unavailable, match=f"{role}.*use a role that is neither"):
        await check_isolated(mighty)
    await mighty.close()
