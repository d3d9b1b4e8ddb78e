"""Records of conversations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its turns; ``turns`` counts them."""

    id: uuid.UUID
    title: str
    turns: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as it was asked and as it was answered, and the answer as it went over the wire."""

    number: int
    question: str
    standalone: str
    answer: dict[str, Any]
    asked_at: datetime
