"""The wire of tracked entities."""

from __future__ import annotations

from typing import Annotated, Self, cast

from pydantic import AfterValidator, Field, StringConstraints

from castor_chassis import Composed, ComposedText, Pattern, RequestModel, ResponseModel, Timestamp
from twitter_service.api.schemas.fields import DatasetName, EntityId
from twitter_service.entities import model
from twitter_service.entities.model import EntityChanges, Kind


def _without_sign(value: str) -> str:
    return value.lstrip("@#")


Handle = Annotated[
    str,
    Pattern(r"^@?[A-Za-z0-9_]{1,50}$", "must be a handle of 1 to 50 letters without accents, digits or underscores"),
    AfterValidator(_without_sign),
]
Hashtag = Annotated[
    str,
    Pattern(r"^#?[0-9A-Za-z_À-ɏ]{1,100}$", "must be a hashtag of 1 to 100 letters, digits or underscores"),
    AfterValidator(_without_sign),
    Composed,
]
Alias = Annotated[ComposedText, StringConstraints(min_length=1, max_length=100)]
Name = Annotated[ComposedText, StringConstraints(min_length=1, max_length=100)]
Colour = Annotated[str, Pattern(r"^#[0-9A-Fa-f]{6}$", "must be a colour such as #1a2b3c")]


class NewEntity(RequestModel):
    """Whom or what to track."""

    id: EntityId
    name: Name
    kind: Kind
    handles: list[Handle] = Field(default=[], max_length=50, description="Accounts; authoring or mention counts.")
    aliases: list[Alias] | None = Field(
        default=None, max_length=100, description="Names in a text, on word boundaries. Null: the name alone."
    )
    hashtags: list[Hashtag] = Field(default=[], max_length=100)
    colour: Colour | None = None
    datasets: list[DatasetName] = Field(
        default=[], max_length=50, description="Data sets that it is an entity of; empty: all of them."
    )

    def entity(self) -> model.NewEntity:
        """Return the entity with its default alias."""
        aliases = [self.name] if self.aliases is None else self.aliases
        return model.NewEntity(
            self.id, self.name, self.kind, self.handles, aliases, self.hashtags, self.colour, self.datasets
        )


class EntityChange(RequestModel):
    """What to change; a field that is left out or null stays as it is, except that a null colour removes it."""

    name: Name | None = None
    kind: Kind | None = None
    handles: list[Handle] | None = Field(default=None, max_length=50)
    aliases: list[Alias] | None = Field(default=None, max_length=100)
    hashtags: list[Hashtag] | None = Field(default=None, max_length=100)
    colour: Colour | None = None
    datasets: list[DatasetName] | None = Field(default=None, max_length=50)

    def changes(self) -> EntityChanges:
        """Return the fields to change."""
        sent = self.model_dump(exclude_unset=True)
        return cast(EntityChanges, {key: value for key, value in sent.items() if value is not None or key == "colour"})


class Entity(ResponseModel):
    """A tracked candidate, party or topic."""

    id: str
    name: str
    kind: Kind
    handles: list[str]
    aliases: list[str]
    hashtags: list[str]
    colour: str | None
    datasets: list[str] = Field([], description="Data sets that it is an entity of; empty: all of them.")
    matching: bool = Field(description="True while stored tweets are still being matched against its terms.")
    created_at: Timestamp

    @classmethod
    def of(cls, entity: model.Entity) -> Self:
        """Return an entity as it goes over the wire."""
        return cls.model_validate(entity, from_attributes=True)
