"""The command ``rotate-keys [leaked]``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import timedelta

from auth_service.audit.recorder import Audit
from auth_service.revocations.service import Revocations
from auth_service.settings import AuthSettings
from auth_service.tokens.key_rotation import KeyRotation, RotationTimes
from castor_chassis import Postgres, ServiceError, reveal
from castor_chassis.security.revocation import RevocationList


def rotation_times(settings: AuthSettings) -> RotationTimes:
    """Return when the settings have signing keys replaced."""
    return RotationTimes(
        signs=timedelta(days=settings.signing_key_days),
        ahead=timedelta(seconds=settings.key_publish_ahead_seconds),
        token=timedelta(seconds=settings.longest_token_seconds),
    )


def rotate_keys(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """Publish the next signing key, or with ``leaked`` replace all keys at once; print the outcome as JSON.

    Returns 0, or 2 when nothing could be done. Running replicas notice by themselves.
    """
    if list(arguments) not in ([], ["leaked"]):
        sys.stderr.write("rotate-keys takes no argument, or 'leaked'\n")
        return 2
    try:
        report = asyncio.run(_rotate(settings, leaked=bool(arguments)))
    except (ServiceError, OSError, ValueError) as error:
        sys.stderr.write(f"The signing keys were not rotated: {error}\n")
        return 2
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


async def _rotate(settings: AuthSettings, *, leaked: bool) -> dict[str, object]:
    database_url = reveal(settings.database_url)
    if database_url is None:
        raise ValueError("DATABASE_URL is not set")
    postgres = Postgres(database_url, size=2, timeout_seconds=settings.database_timeout_seconds)
    await postgres.open()
    try:
        vault = settings.vault()
        revocations = Revocations(
            postgres, RevocationList(), None, issuer=settings.auth_issuer, token_seconds=settings.longest_token_seconds
        )
        times = rotation_times(settings)
        rotation = KeyRotation(postgres, vault, asyncio.to_thread, Audit(vault), revocations, times)
        kid = await (rotation.replace_leaked() if leaked else rotation.rotate())
    finally:
        await postgres.close()
    return {"kid": kid, "signs_in_seconds": 0 if leaked else settings.key_publish_ahead_seconds}
