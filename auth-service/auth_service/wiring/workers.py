"""Starts the background work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from auth_service.accounts.bootstrap import FirstAdministrator
from auth_service.accounts.expiry import delete_expired
from auth_service.audit.service import AuditChain
from auth_service.credentials import api_key_repository
from auth_service.oidc import code_repository
from auth_service.passkeys import challenge_repository
from auth_service.service_accounts import credential_repository
from auth_service.sessions import browser_session_repository
from auth_service.settings import AuthSettings
from auth_service.tokens.command import rotation_times
from auth_service.tokens.key_rotation import KeyRotation
from auth_service.tokens.signing_keys import SigningKeys
from auth_service.wiring.shared import SharedServices
from castor_chassis import Chassis, every, reveal
from castor_chassis.storage.migrations import check_migrated

Work = Callable[[], Awaitable[None]]
_KEY_CHECK_SECONDS = 60
_SESSION_SWEEP_SECONDS = 60
_REVOCATION_SWEEP_SECONDS = 600


def spawn_workers(
    chassis: Chassis[AuthSettings], f: SharedServices, signing_keys: SigningKeys, chain: AuditChain
) -> None:
    """Start all workers; each begins once the database is migrated."""
    for name, work in _in_every_replica(chassis, f, signing_keys).items():
        chassis.spawn(name, partial(_once_migrated, chassis, work))
    for name, work in _in_one_replica(chassis, f, chain).items():
        chassis.spawn_under_lease(name, work)


def _in_every_replica(chassis: Chassis[AuthSettings], f: SharedServices, signing_keys: SigningKeys) -> dict[str, Work]:
    s, gate = chassis.settings, chassis.health.gate("signing_keys")
    load = partial(signing_keys.run, f.postgres, f.vault, chassis.in_thread, gate, s.keys_refresh_seconds)
    workers: dict[str, Work] = {"signing_keys": load, "revocations": f.revocations.run}
    workers["audit_summaries"] = every(s.audit_seal_seconds, partial(f.summaries.write, f.postgres))
    email, password = s.bootstrap_admin_email, reveal(s.bootstrap_admin_password)
    if email is not None and password is not None:
        administrator = FirstAdministrator(f.postgres, f.passwords, f.audit)
        workers["administrator"] = partial(administrator.ensure, email, password)
    return workers


def _in_one_replica(chassis: Chassis[AuthSettings], f: SharedServices, chain: AuditChain) -> dict[str, Work]:
    s = chassis.settings
    rotation = KeyRotation(f.postgres, f.vault, chassis.in_thread, f.audit, f.revocations, rotation_times(s))
    expired: list[Work] = [f.sessions.delete_expired]
    sweeps = delete_expired, code_repository.delete_expired, challenge_repository.delete_expired
    for delete in (*sweeps, credential_repository.delete_expired, browser_session_repository.delete_expired):
        expired.append(partial(delete, f.postgres))
    kept_for = timedelta(days=s.ended_credentials_days)
    ended = (partial(each.delete_ended, f.postgres, kept_for) for each in (api_key_repository, credential_repository))
    return {
        "key_rotation": every(_KEY_CHECK_SECONDS, rotation.rotate_if_due),
        "audit_seal": every(s.audit_seal_seconds, chain.seal_and_forget),
        "outbox": f.outbox.run,
        "session_sweep": every(_SESSION_SWEEP_SECONDS, *expired),
        "revocation_sweep": every(_REVOCATION_SWEEP_SECONDS, f.revocations.delete_expired, *ended),
    }


async def _once_migrated(chassis: Chassis[AuthSettings], work: Work) -> None:
    await check_migrated(chassis.postgres, chassis.package)
    await work()
