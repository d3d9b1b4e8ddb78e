"""The commands of auth-service beside serving: ``verify-audit [EXPORT.jsonl]`` and ``rotate-keys [leaked]``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from auth_service.audit.hash_chain import AuditChain, ChainCheck, Verdict, from_line
from auth_service.audit.recorder import Audit
from auth_service.audit.repository import AuditStore
from auth_service.crypto.vault import Vault
from auth_service.revocations.service import Revocations
from auth_service.settings import AuthSettings
from auth_service.tokens.key_rotation import Rotation
from auth_service.users.repository import AuthStore
from castor_chassis import Postgres, ServiceError
from castor_chassis.security.revocation import RevocationList


def verify_audit(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """Check the audit log of the database, or an exported file; print the verdict as JSON.

    Returns 0 for an intact log, 1 for a damaged one, 2 when it cannot be read.
    """
    try:
        verdict = _of_file(Path(arguments[0])) if arguments else asyncio.run(_of_database(settings))
    except (ServiceError, OSError, ValueError) as error:
        sys.stderr.write(f"The audit log cannot be checked: {error}\n")
        return 2
    sys.stdout.write(json.dumps({"intact": not verdict.problems, **asdict(verdict)}, indent=1) + "\n")
    return 1 if verdict.problems else 0


async def _of_database(settings: AuthSettings) -> Verdict:
    if settings.database_url is None:
        raise ValueError("DATABASE_URL is not set")
    postgres = Postgres(str(settings.database_url), size=1, timeout_seconds=settings.database_timeout_seconds)
    await postgres.open()
    try:
        vault = Vault(settings.key_encryption_secret.get_secret_value())
        return await AuditChain(AuditStore(postgres), vault, timedelta(days=settings.audit_retention_days)).verify()
    finally:
        await postgres.close()


def _of_file(path: Path) -> Verdict:
    verdict = Verdict()
    with path.open(encoding="utf-8") as lines:
        check = ChainCheck(verdict, None)
        check.follow(from_line(line) for line in lines)
    return verdict


def rotate_keys(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """Publish the next signing key, or with ``leaked`` replace all keys at once; print what happened as JSON.

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
    if settings.database_url is None:
        raise ValueError("DATABASE_URL is not set")
    postgres = Postgres(str(settings.database_url), size=2, timeout_seconds=settings.database_timeout_seconds)
    await postgres.open()
    try:
        store, vault = AuthStore(postgres), Vault(settings.key_encryption_secret.get_secret_value())
        revocations = Revocations(
            store, RevocationList(), None, issuer=settings.auth_issuer, token_seconds=settings.access_token_seconds
        )
        rotation = Rotation(store, asyncio.to_thread, Audit(vault), revocations, settings.rotation_times())
        kid = await (rotation.replace_leaked() if leaked else rotation.rotate())
    finally:
        await postgres.close()
    return {"kid": kid, "signs_in_seconds": 0 if leaked else settings.key_publish_ahead_seconds}
