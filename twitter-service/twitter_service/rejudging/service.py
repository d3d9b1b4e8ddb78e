"""What callers may ask about versions of the sentiment model."""

from __future__ import annotations

from twitter_service.rejudging.model import RejudgingState
from twitter_service.rejudging.version_repository import VersionRepository


class RejudgingService:
    """Says which version of the sentiment model counts, and how far judging under a new one is."""

    def __init__(self, versions: VersionRepository) -> None:
        self._versions = versions

    async def state(self) -> RejudgingState:
        """Return the present state."""
        return await self._versions.state()
