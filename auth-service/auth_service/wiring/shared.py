"""Builds what the services of auth-service share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from auth_service.accounts.changes import AccountChanges
from auth_service.accounts.messages import AccountMessages
from auth_service.audit.recorder import Audit
from auth_service.audit.summaries import Summaries
from auth_service.crypto.password_judge import PasswordJudge
from auth_service.crypto.passwords import Passwords
from auth_service.crypto.vault import Vault
from auth_service.mail.outbox import Outbox
from auth_service.mail.sender import LogSender, MailSender, SmtpSender
from auth_service.revocations.service import Revocations
from auth_service.sessions.service import Sessions, SessionTimes
from auth_service.settings import AuthSettings
from auth_service.throttling.attempt_limits import AttemptLimits, AttemptPolicy
from auth_service.throttling.backoff import Backoff, Delays
from auth_service.tokens.issuer import TokenIssuer
from auth_service.tokens.signing_keys import SigningKeys
from auth_service.users.service import Users
from castor_chassis import Chassis, Postgres, reveal
from castor_chassis.security.rate_limit import limiter_of


@dataclass(frozen=True)
class SharedServices:
    """What several services and workers use."""

    postgres: Postgres
    vault: Vault
    audit: Audit
    passwords: Passwords
    limits: AttemptLimits
    users: Users
    issuer: TokenIssuer
    revocations: Revocations
    sessions: Sessions
    outbox: Outbox
    changes: AccountChanges
    summaries: Summaries

    async def close(self) -> None:
        """Record what was only counted, and stop the threads and processes."""
        await self.summaries.write(self.postgres)
        self.outbox.sender.close()
        await self.passwords.close()


def build_shared(chassis: Chassis[AuthSettings], signing_keys: SigningKeys) -> SharedServices:
    """Return what the settings and the chassis make; nothing is contacted."""
    s = chassis.settings
    postgres, vault = chassis.postgres, s.vault()
    audit, issuer = Audit(vault), _issuer(chassis, signing_keys)
    revocations = Revocations(
        postgres, chassis.revoked, chassis.redis, issuer=s.auth_issuer, token_seconds=s.longest_token_seconds
    )
    times = SessionTimes(timedelta(s.refresh_idle_days), timedelta(s.session_max_days), s.refresh_replay_seconds)
    sessions = Sessions(postgres, issuer, vault, audit, times, revocations)
    messages = AccountMessages(postgres, registration_lifetime(s), timedelta(minutes=s.reset_minutes))
    outbox = Outbox(postgres, vault, _sender(s), messages.compose)
    return SharedServices(
        postgres=postgres,
        vault=vault,
        audit=audit,
        passwords=_passwords(s),
        limits=AttemptLimits(_attempt_policy(s), vault, Backoff(chassis.limits_redis), partial(limiter_of, s)),
        users=Users(postgres),
        issuer=issuer,
        revocations=revocations,
        sessions=sessions,
        outbox=outbox,
        changes=AccountChanges(postgres, audit, outbox, sessions, revocations),
        summaries=Summaries(audit),
    )


def registration_lifetime(s: AuthSettings) -> timedelta:
    """Return how long a registration may be confirmed."""
    return timedelta(hours=s.registration_hours)


def mfa_required_roles(s: AuthSettings) -> frozenset[str]:
    """Return the roles that give no scopes without MFA."""
    return frozenset(s.mfa_required_roles.split())


def _issuer(chassis: Chassis[AuthSettings], signing_keys: SigningKeys) -> TokenIssuer:
    s = chassis.settings
    return TokenIssuer(
        signing_keys,
        chassis.in_thread,
        issuer=s.auth_issuer,
        user_audience=s.user_audience,
        access_seconds=s.access_token_seconds,
        service_seconds=s.service_token_seconds,
        mfa_required=mfa_required_roles(s),
    )


def _passwords(s: AuthSettings) -> Passwords:
    judge = PasswordJudge(s.password_judge_seconds, s.password_queue)
    return Passwords(s.password_memory_kib, s.password_passes, s.password_threads, s.password_queue, judge)


def _sender(s: AuthSettings) -> MailSender:
    url = reveal(s.smtp_url) if s.notifier == "smtp" else None
    return LogSender() if url is None else SmtpSender(url, s.mail_from, s.smtp_ca_file, s.smtp_timeout_seconds)


def _attempt_policy(s: AuthSettings) -> AttemptPolicy:
    lengths = s.throttle_first_seconds, s.throttle_longest_seconds, s.throttle_forget_hours * 3600
    return AttemptPolicy(
        per_account=Delays(s.throttle_free_attempts, *lengths),
        per_address=Delays(s.throttle_free_attempts_per_address, *lengths),
        known_device_seconds=s.known_device_days * 86_400,
        stuffing_accounts_per_address=s.stuffing_accounts_per_address,
        stuffing_addresses_per_account=s.stuffing_addresses_per_account,
        logins_per_address=s.address_rate_limit,
        registrations_per_address=s.registration_rate_limit,
        messages_per_recipient=s.recovery_rate_limit,
    )
