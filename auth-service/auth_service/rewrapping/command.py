"""The command ``rewrap-secrets``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from auth_service.rewrapping.repository import KINDS
from auth_service.rewrapping.service import Rewrapped, rewrap
from auth_service.settings import AuthSettings
from castor_chassis import Postgres, ServiceError, reveal


def rewrap_secrets(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """Seal everything stored with KEY_ENCRYPTION_SECRET, opened with it or an older one; print the counts as JSON.

    Returns 0, 1 when something is opened by none of the secrets, or 2 when nothing could be done.
    """
    if arguments:
        sys.stderr.write("rewrap-secrets takes no argument\n")
        return 2
    try:
        found = asyncio.run(_rewrap(settings))
    except (ServiceError, OSError, ValueError) as error:
        sys.stderr.write(f"The secrets were not sealed anew: {error}\n")
        return 2
    sys.stdout.write(json.dumps({kind: asdict(done) for kind, done in found.items()}) + "\n")
    return 1 if any(done.unreadable for done in found.values()) else 0


async def _rewrap(settings: AuthSettings) -> dict[str, Rewrapped]:
    database_url = reveal(settings.database_url)
    if database_url is None:
        raise ValueError("DATABASE_URL is not set")
    postgres = Postgres(database_url, size=2, timeout_seconds=settings.database_timeout_seconds)
    await postgres.open()
    try:
        return {kind: await rewrap(postgres, settings.vault(), kind) for kind in KINDS}
    finally:
        await postgres.close()
