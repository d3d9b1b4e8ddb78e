"""The command ``verify-audit [EXPORT.jsonl]``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from auth_service.audit.hash_chain import ChainCheck, Verdict, from_line
from auth_service.audit.service import AuditChain
from auth_service.settings import AuthSettings
from castor_chassis import Postgres, ServiceError, reveal


def verify_audit(settings: AuthSettings, arguments: Sequence[str]) -> int:
    """Verify the audit log of the database, or an exported file; print the verdict as JSON.

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
    database_url = reveal(settings.database_url)
    if database_url is None:
        raise ValueError("DATABASE_URL is not set")
    postgres = Postgres(database_url, size=1, timeout_seconds=settings.database_timeout_seconds)
    await postgres.open()
    try:
        vault = settings.vault()
        return await AuditChain(postgres, vault, timedelta(days=settings.audit_retention_days)).verify()
    finally:
        await postgres.close()


def _of_file(path: Path) -> Verdict:
    verdict = Verdict()
    with path.open(encoding="utf-8") as lines:
        check = ChainCheck(verdict, None)
        check.follow(from_line(line) for line in lines)
    return verdict
