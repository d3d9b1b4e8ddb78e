"""Settings of auth-service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from auth_service.crypto.composition import composed
from auth_service.crypto.password_policy import why_weak
from auth_service.crypto.vault import Vault
from auth_service.users.roles import Role
from castor_chassis import ServiceSettings, reveal

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_smtp_url(url: str) -> None:
    """Raise ``ValueError`` for the URL of a mail server that must not be used; the message says why."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtps", "smtp+starttls", "smtp") or not parts.hostname:
        raise ValueError("must be smtps://host, smtp+starttls://host, or smtp://localhost")
    if parts.scheme == "smtp" and parts.hostname not in _LOOPBACK:
        raise ValueError("smtp:// sends one-time tokens in clear; use smtps:// or smtp+starttls://")


class AuthSettings(ServiceSettings):
    """The settings of the chassis, and those of auth-service."""

    service_name: ClassVar[str] = "auth-service"

    key_encryption_secret: SecretStr = Field(
        description="Encrypts the stored signing keys, and keys the pseudonyms of the audit log. At least 32 "
        "random characters, the same in every replica; without it the stored keys are lost.",
    )
    key_encryption_secrets_older: SecretStr | None = Field(
        None,
        description="One a line; secrets before key_encryption_secret, which still open what they sealed.",
    )
    registration_role: Role = Field(Role.VIEWER, description="Role of whoever registers.")
    bootstrap_admin_email: str | None = Field(
        None, description="Administrator made at the first start, if there never was one."
    )
    bootstrap_admin_password: SecretStr | None = Field(None, description="Its password; used once, to create it.")

    access_token_seconds: int = Field(900, ge=60, le=3600, description="Lifetime of a user's access token.")
    service_token_seconds: int = Field(300, ge=60, le=900, description="Lifetime of a service's token.")
    refresh_idle_days: float = Field(7, gt=0, description="A refresh token that is not used for so long expires.")
    browser_session_hours: float = Field(
        12,
        ge=0,
        le=720,
        description="How long the login page remembers a login for the next frontend; 0: not at all.",
    )
    session_max_days: float = Field(30, gt=0, description="A session ends after this, however often it is refreshed.")
    refresh_replay_seconds: float = Field(
        10,
        ge=0,
        le=60,
        description="Within this, a used refresh token sent again by the same client gets the same successor: "
        "a lost response must not end a session. 0: every second use counts as theft.",
    )
    keys_refresh_seconds: float = Field(30, gt=0, description="How often signing keys are read from PostgreSQL.")
    jwks_cache_seconds: int = Field(300, ge=0, description="max-age of the published key set.")
    signing_key_days: float = Field(30, gt=0, le=397, description="How long a signing key signs.")
    key_publish_ahead_seconds: int = Field(
        3600, ge=0, description="How long the next key is published before it signs; longer than any cache of the keys."
    )

    password_memory_kib: int = Field(19_456, ge=1024, description="argon2id memory (OWASP: 19 MiB with 2 passes).")
    password_passes: int = Field(2, ge=1, description="argon2id passes over that memory.")
    password_threads: int = Field(2, ge=1, description="Passwords hashed at a time; one core each.")
    password_queue: int = Field(64, ge=1, description="Passwords hashed or waiting; above this, 429.")
    password_judge_seconds: float = Field(
        5, gt=0, description="A new password whose strength is not estimated within this is refused with 429."
    )

    registration: Literal["verified", "open", "closed"] = Field(
        "verified",
        description="verified: a token is sent to the address, and nobody learns which addresses have accounts; "
        "open: an account at once, for closed networks; closed: nobody registers.",
    )
    registration_hours: float = Field(24, gt=0, description="How long a registration may be confirmed.")
    reset_minutes: float = Field(10, gt=0, le=60, description="Validity of mailed tokens for passwords and addresses.")
    notifier: Literal["log", "smtp"] = Field(
        "log",
        description="smtp: mails are sent; log: they and their tokens go to the log, which takes DEVELOPMENT=true.",
    )
    smtp_url: SecretStr | None = Field(None, description="smtps://user:password@host, or smtp+starttls://...")
    smtp_ca_file: Path | None = Field(None, description="PEM authorities of the mail server; unset: the system's.")
    smtp_timeout_seconds: float = Field(10, gt=0, description="Per step of a delivery.")
    mail_from: str = Field("castor@castor.example", description="Sender of mails.")
    mfa_required_roles: str = Field(
        "admin",
        description="Space separated roles that give no scopes until their holder has enabled MFA, or none.",
    )

    throttle_free_attempts: int = Field(5, ge=1, description="Failed logins of an account before delays begin.")
    throttle_free_attempts_per_address: int = Field(30, ge=1, description="The same per address.")
    throttle_first_seconds: float = Field(1, gt=0, description="First delay; each failure doubles it.")
    throttle_longest_seconds: float = Field(900, gt=0, description="Longest delay.")
    throttle_forget_hours: float = Field(
        24, gt=0, description="Without an attempt for so long, failures no longer count."
    )
    known_device_days: float = Field(30, gt=0, description="How long a device that logged in is known.")
    stuffing_accounts_per_address: int = Field(
        20, ge=1, description="More accounts failed in an hour: stuffing is reported."
    )
    stuffing_addresses_per_account: int = Field(
        20, ge=1, description="More addresses failed in an hour: stuffing is reported."
    )
    recovery_rate_limit: str = Field("5/hour", description="Mails to one address that anybody may ask for.")
    address_rate_limit: str = Field("60/minute", description="Logins per address, whatever the account.")
    registration_rate_limit: str = Field("10/minute", description="Registrations and tokens per address.")
    service_account_rate_limit: str = Field("60/minute", description="Tokens per service account.")
    console_redirect_uris: str = Field(
        "", description="Space separated; where the console may receive its logins. Empty: the root of AUTH_ISSUER."
    )
    account_readers: str = Field(
        "", description="Space separated services that may read accounts at /internal/user, such as rag-service."
    )
    passkey_origins: str = Field(
        "", description="Space separated; origins of pages that may use passkeys, beside AUTH_ISSUER itself."
    )
    audit_seal_seconds: float = Field(60, gt=0, description="How often the head of the audit chain is sealed.")
    audit_export_timeout_seconds: float = Field(
        3600, gt=0, description="Deadline of one export of the audit log; then it is broken off."
    )
    audit_retention_days: int = Field(
        730, ge=1, le=36500, description="Security events older than this are deleted; export them before."
    )
    ended_credentials_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="API keys and service accounts' credentials are deleted so long after their end.",
    )
    max_api_keys: int = Field(50, ge=1, description="API keys in force per user.")

    @field_validator("key_encryption_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < 32:
            raise ValueError("the secret must have at least 32 random characters, such as 'openssl rand -hex 32' gives")
        return secret

    @field_validator("key_encryption_secrets_older")
    @classmethod
    def _older_ones_were_long_enough(cls, secrets: SecretStr | None) -> SecretStr | None:
        for secret in (reveal(secrets) or "").splitlines():
            cls._long_enough(SecretStr(secret))
        return secrets

    @property
    def longest_token_seconds(self) -> int:
        """The longest life of a token of ours, whoever holds it."""
        return max(self.access_token_seconds, self.service_token_seconds)

    def vault(self) -> Vault:
        """Return what seals and opens with these secrets."""
        return Vault(
            self.key_encryption_secret.get_secret_value(),
            (reveal(self.key_encryption_secrets_older) or "").splitlines(),
        )

    @field_validator("mfa_required_roles")
    @classmethod
    def _roles_exist(cls, roles: str) -> str:
        # An empty variable counts as unset, so "none" stands for no role.
        held = [] if roles == "none" else [Role(role) for role in roles.split()]
        return " ".join(held)

    @model_validator(mode="after")
    def _mail_can_be_sent(self) -> Self:
        if self.notifier == "smtp":
            url = reveal(self.smtp_url)
            if url is None:
                raise ValueError("NOTIFIER=smtp needs SMTP_URL")
            check_smtp_url(url)
        return self

    def check_serving(self) -> None:
        """Add to what a server needs where its mails go."""
        super().check_serving()
        try:
            self.check_notifier()
        except ValueError as error:
            raise SystemExit(str(error)) from None

    def check_notifier(self) -> None:
        """Raise ``ValueError`` if the service would write one-time tokens into a log that is not a developer's.

        Commands, which send no mail, need not be told of a mail server.
        """
        if self.notifier == "log" and not self.development:
            raise ValueError(
                "NOTIFIER=log writes one-time tokens into the log: set NOTIFIER=smtp and SMTP_URL, or, on a machine "
                "of a developer, DEVELOPMENT=true"
            )

    @model_validator(mode="after")
    def _keys_are_known_before_they_sign(self) -> Self:
        caches = max(self.jwks_cache_seconds, self.jwks_max_age_seconds) + self.keys_refresh_seconds
        if self.key_publish_ahead_seconds < caches:
            raise ValueError(
                f"KEY_PUBLISH_AHEAD_SECONDS={self.key_publish_ahead_seconds} is shorter than the caches of the key set "
                f"({caches:g} s): tokens of a new key would be refused; raise it, or shorten the caches"
            )
        return self

    @model_validator(mode="after")
    def _administrator_is_whole(self) -> Self:
        email, password = self.bootstrap_admin_email, reveal(self.bootstrap_admin_password)
        if (email is None) != (password is None):
            raise ValueError("BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD belong together: set both or none")
        reason = why_weak(composed(password), email or "") if password is not None else None
        if reason is not None:
            raise ValueError(f"BOOTSTRAP_ADMIN_PASSWORD: {reason}")
        return self
