"""Tracked entities in PostgreSQL. Each change raises the revision with which batches of tweets are matched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from castor_chassis import Postgres
from twitter_service.entities.model import Entity, EntityChanges, NewEntity
from twitter_service.errors import EntityExists, EntityNotFound, TooManyEntities
from twitter_service.matching.entities import Matcher, Terms
from twitter_service.tweets.feed_repository import lock_feed

_FIELDS = ("id", "name", "kind", "handles", "aliases", "hashtags", "colour", "datasets")
_COLUMNS = "id, name, kind, handles, aliases, hashtags, colour, datasets, matching, created_at"
_RAISE_REVISION = "UPDATE feed_state SET entity_revision = entity_revision + 1"
_MATCH_AGAIN = "matching = true, matched_through = 0"
_TERM_FIELDS = frozenset({"handles", "aliases", "hashtags"})

# The id of a deleted entity can be used again while stored tweets are still losing it.
_CREATE = f"""
INSERT INTO entities (id, name, kind, handles, aliases, hashtags, colour, datasets)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE
SET name = $2, kind = $3, handles = $4, aliases = $5, hashtags = $6, colour = $7, datasets = $8,
    created_at = now(), deleted = false, {_MATCH_AGAIN}
WHERE entities.deleted
RETURNING {_COLUMNS}
"""
# An author of files in several data sets is an entity of each; one of all of them stays so.
_JOIN_DATASETS = """
UPDATE entities SET datasets = datasets || $2
WHERE id = ANY($1::text[]) AND NOT deleted AND datasets <> '{}' AND NOT datasets @> $2
"""
_GET = f"SELECT {_COLUMNS} FROM entities WHERE id = $1 AND NOT deleted"
_TERMS = """
SELECT entity_revision,
       ARRAY(SELECT row(id, handles, aliases, hashtags) FROM entities WHERE NOT deleted) AS terms FROM feed_state
"""


class EntityRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres, *, max_entities: int) -> None:
        self._postgres = postgres
        self._max_entities = max_entities

    async def all(self) -> list[Entity]:
        """Return all tracked entities by id."""
        sql = f"SELECT {_COLUMNS} FROM entities WHERE NOT deleted ORDER BY id"
        return [Entity(*row) for row in await self._postgres.fetch(sql)]

    async def any_in(self, entity_ids: Iterable[str], dataset: str | None) -> bool:
        """Return whether one of these entities is tracked in a data set."""
        wanted = set(entity_ids)
        return bool(wanted) and any(one.id in wanted and one.is_in(dataset) for one in await self.all())

    async def get(self, entity_id: str) -> Entity:
        """Return one entity; raises ``EntityNotFound``."""
        return _found(await self._postgres.fetchrow(_GET, entity_id), entity_id)

    async def matcher(self) -> tuple[int, Matcher]:
        """Return the revision of the entities and a matcher of all of them."""
        row = await self._postgres.fetchrow(_TERMS)
        assert row is not None
        return row["entity_revision"], Matcher(terms_of(*terms) for terms in row["terms"])

    async def create(self, entity: NewEntity) -> Entity:
        """Track an entity; stored tweets are matched later. Raises ``EntityExists`` or ``TooManyEntities``."""
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            if await connection.fetchval("SELECT count(*) FROM entities WHERE NOT deleted") >= self._max_entities:
                raise TooManyEntities(limit=self._max_entities)
            row = await connection.fetchrow(_CREATE, *_values(entity))
            if row is None:
                raise EntityExists(entity_id=entity.id)
            await connection.execute(_RAISE_REVISION)
            return Entity(*row)

    async def create_missing(self, entities: Sequence[NewEntity]) -> tuple[list[str], int]:
        """Track those that are not tracked yet, in order; the others join the data set.

        Returns the ids of the new ones, and how many were left out because no more entities can be tracked.
        """
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            tracked = {row["id"] for row in await connection.fetch("SELECT id FROM entities WHERE NOT deleted")}
            missing = [entity for entity in entities if entity.id not in tracked]
            new = missing[: max(0, self._max_entities - len(tracked))]
            for entity in new:
                await connection.execute(_CREATE, *_values(entity))
            if entities and entities[0].datasets:
                await connection.execute(_JOIN_DATASETS, [entity.id for entity in entities], entities[0].datasets)
            await connection.execute(_RAISE_REVISION)
            return [entity.id for entity in new], len(missing) - len(new)

    async def change(self, entity_id: str, changes: EntityChanges) -> Entity:
        """Change fields of an entity; stored tweets are matched again where its terms change.

        Raises ``EntityNotFound``.
        """
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            before = _found(await connection.fetchrow(_GET, entity_id), entity_id)
            again = f", {_MATCH_AGAIN}" if _TERM_FIELDS & changes.keys() else ""
            row = await connection.fetchrow(
                "UPDATE entities SET name = $2, kind = $3, handles = $4, aliases = $5, hashtags = $6, colour = $7, "
                f"datasets = $8{again} WHERE id = $1 RETURNING {_COLUMNS}",
                *({**asdict(before), **changes}[name] for name in _FIELDS),
            )
            await connection.execute(_RAISE_REVISION)
            return _found(row, entity_id)

    async def delete(self, entity_id: str) -> Entity:
        """Stop tracking an entity; stored tweets lose it later. Raises ``EntityNotFound``."""
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            row = await connection.fetchrow(
                f"UPDATE entities SET deleted = true, {_MATCH_AGAIN} WHERE id = $1 AND NOT deleted "
                f"RETURNING {_COLUMNS}",
                entity_id,
            )
            await connection.execute(_RAISE_REVISION)
            return _found(row, entity_id)


def terms_of(entity_id: str, handles: Iterable[str], aliases: Iterable[str], hashtags: Iterable[str]) -> Terms:
    """Return the terms in the columns of an entity."""
    return Terms(entity_id, tuple(handles), tuple(aliases), tuple(hashtags))


def _found(row: Any, entity_id: str) -> Entity:
    if row is None:
        raise EntityNotFound(entity_id=entity_id)
    return Entity(*row)


def _values(entity: NewEntity) -> list[Any]:
    return [getattr(entity, name) for name in _FIELDS]
