"""What callers may do with tracked entities."""

from __future__ import annotations

from castor_chassis import Wakeup
from twitter_service.entities.model import Entity, EntityChanges, NewEntity
from twitter_service.entities.repository import EntityRepository


class EntityService:
    """Reads and changes entities; stored tweets are matched again in the background."""

    def __init__(self, entities: EntityRepository, rematch: Wakeup) -> None:
        self._entities = entities
        self._rematch = rematch

    async def all(self, dataset: str | None = None) -> list[Entity]:
        """Return the tracked entities of a data set, of all when None, by id."""
        return [entity for entity in await self._entities.all() if entity.is_in(dataset)]

    async def get(self, entity_id: str) -> Entity:
        """Return one entity; raises ``EntityNotFound``."""
        return await self._entities.get(entity_id)

    async def create(self, entity: NewEntity) -> Entity:
        """Track an entity; raises ``EntityExists`` or ``TooManyEntities``."""
        created = await self._entities.create(entity)
        self._rematch.set()
        return created

    async def change(self, entity_id: str, changes: EntityChanges) -> Entity:
        """Change fields of an entity; raises ``EntityNotFound``."""
        changed = await self._entities.change(entity_id, changes)
        self._rematch.set()
        return changed

    async def delete(self, entity_id: str) -> Entity:
        """Stop tracking an entity; raises ``EntityNotFound``."""
        deleted = await self._entities.delete(entity_id)
        self._rematch.set()
        return deleted
