"""Settings that every service shares; a service adds its own by subclassing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import limits
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PostgresDsn,
    RedisDsn,
    Secret,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from castor_chassis.client_address import networks


def _trimmed(value: Any) -> Any:
    # A line end comes along where a value is read from a file or a secret is made with echo.
    return value.strip() if isinstance(value, str) else value


def _is_address(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or any(one.isspace() for one in value):
        raise ValueError("must be an address such as https://service:8443")
    return value


def fits_a_header(key: str) -> bool:
    """Return whether a server can be sent this key: printable ASCII without blanks."""
    return bool(key) and key.isascii() and key.isprintable() and " " not in key


def _is_header_secret(secret: SecretStr) -> SecretStr:
    if not fits_a_header(secret.get_secret_value()):
        raise ValueError("must be a key of printable ASCII without blanks: it is sent in a header")
    return secret


HttpAddress = Annotated[str, BeforeValidator(_trimmed), AfterValidator(_is_address)]
"""Address of a server; blanks around it are dropped."""
HeaderSecret = Annotated[SecretStr, BeforeValidator(_trimmed), AfterValidator(_is_header_secret)]
"""A key that is sent in a header; blanks around it are dropped."""


class ServiceSettings(BaseSettings):
    """One environment variable per field, its name in upper case, without a prefix.

    Raises ``pydantic.ValidationError`` when a value is wrong or two values contradict each other.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True)
    service_name: ClassVar[str] = "service"

    api_host: str = Field("127.0.0.1", description="Address of the mTLS API; 0.0.0.0 in a container.")
    api_port: int = Field(8443, ge=0, le=65535, description="Port of the mTLS API; 0 picks a free one.")
    management_host: str = Field("127.0.0.1", description="Address of health and metrics, plain HTTP.")
    management_port: int = Field(9090, ge=0, le=65535, description="Port of health and metrics.")
    tls_cert_file: Path | None = Field(None, description="PEM chain that proves this service, both ways.")
    tls_key_file: Path | None = Field(None, description="PEM private key of tls_cert_file.")
    tls_ca_file: Path | None = Field(None, description="PEM bundle of the authorities that peers may use.")
    tls_poll_seconds: float = Field(10, gt=0, description="How often the three files are looked at.")
    connection_max_age_seconds: float = Field(
        900, gt=0, description="A kept-alive connection is closed after this, so that a peer proves itself anew."
    )

    drain_delay_seconds: float = Field(
        5, ge=0, description="Time between 'not ready' and closing, for load balancers to notice."
    )
    graceful_shutdown_seconds: int = Field(30, ge=1, description="What a request in flight gets to finish.")
    keep_alive_seconds: int = Field(75, ge=5, description="Longer than any client's, so that clients close first.")
    request_timeout_seconds: float = Field(30, gt=0, description="Deadline of a request that brings none.")
    max_concurrent_requests: int = Field(256, ge=1, description="Above this, requests are refused with 429.")
    max_body_bytes: int = Field(2_000_000, ge=1024, description="Above this, a body is refused with 413.")
    body_min_bytes_per_second: float = Field(
        4096, gt=0, description="A body that arrives more slowly, after body_grace_seconds, is refused with 408."
    )
    body_grace_seconds: float = Field(10, gt=0, description="What the sender of a body may wait in any case.")
    max_open_bodies_per_address: int = Field(
        64, ge=1, description="Requests with a body that one address outside may have open; above this, 429."
    )
    compress_min_bytes: int = Field(
        0, ge=0, description="JSON for outside from this size on is packed with gzip; 0: none, the ingress does it."
    )
    rate_limit: str = Field(
        "1200/minute", description="Per user, API key or address; services among themselves have none."
    )
    failed_authentications: str = Field(
        "60/minute", description="Wrong tokens, keys and passwords per address (IPv6: per /64) and replica; then 429."
    )
    trusted_proxies: str = Field(
        "",
        description="Space separated networks of proxies in front of the ingress, such as 10.0.0.0/8: what they say in "
        "X-Forwarded-For counts. The ingress itself is known by its certificate.",
    )

    database_url: Secret[PostgresDsn] | None = Field(None, description="PostgreSQL of this service alone.")
    database_pool_size: int = Field(8, ge=1, le=200, description="Connections per process.")
    database_timeout_seconds: float = Field(10, gt=0, description="Per statement; below the request's.")
    redis_url: Secret[RedisDsn] | None = Field(None, description="Redis or Valkey: caches, windows, notifications.")
    limits_redis_url: Secret[RedisDsn] | None = Field(
        None, description="Redis or Valkey that counts for limits and must not evict keys; unset: that of REDIS_URL."
    )
    redis_timeout_seconds: float = Field(0.5, gt=0, description="Redis is an aid: never wait long for it.")

    auth_url: HttpAddress = Field("https://auth-service:8443", description="Where auth-service answers.")
    auth_issuer: str = Field("https://auth.castor", description="'iss' of every token.")
    user_audience: str = Field("castor", description="'aud' of user tokens.")
    user_tokens_from: Literal["ingress", "services"] = Field(
        "ingress",
        description="ingress: what users send is refused over the certificate of another service, so that whoever "
        "captured it there cannot use it here; services: accepted, for clusters whose jobs act as users.",
    )
    jwks_max_age_seconds: float = Field(300, gt=0, description="Keys older than this are fetched anew.")

    peer_attempts: int = Field(3, ge=1, le=10, description="Attempts per call, the first included.")
    peer_attempt_timeout_seconds: float = Field(5, gt=0, description="Per attempt; below the request's.")
    peer_max_connections: int = Field(64, ge=1, description="Bulkhead: calls in flight per peer.")
    breaker_fail_max: int = Field(5, ge=1, description="Consecutive failures that open a breaker.")
    breaker_reset_seconds: float = Field(60, gt=0, description="How long an open breaker refuses calls.")

    development: bool = Field(
        False, description="Declares a developer's machine or cluster: allows what would be unsafe elsewhere."
    )
    worker_threads: int = Field(2, ge=1, description="Threads for CPU work, off the event loop.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged.")
    otel_exporter_otlp_endpoint: HttpAddress | None = Field(None, description="OTLP/HTTP collector; unset: no export.")
    otel_traces_sampler_arg: float = Field(0.01, ge=0, le=1, description="Share of new traces recorded.")

    def check_serving(self) -> None:
        """Raise ``SystemExit`` with what a server lacks and commands do not need; services add to it."""
        if self.tls_cert_file is None:
            raise SystemExit("The API speaks mutual TLS only: set TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE.")

    @model_validator(mode="after")
    def _timeouts_fit(self) -> Self:
        limits = {
            "peer_attempt_timeout_seconds": self.peer_attempt_timeout_seconds,
            "database_timeout_seconds": self.database_timeout_seconds,
        }
        for name, seconds in limits.items():
            if seconds > self.request_timeout_seconds:
                raise ValueError(
                    f"{name}={seconds:g} is longer than request_timeout_seconds={self.request_timeout_seconds:g}: "
                    "the request would end before its part; lower the first or raise the second"
                )
        return self

    @field_validator("trusted_proxies")
    @classmethod
    def _networks_are_readable(cls, text: str) -> str:
        networks(text)
        return text

    @field_validator("rate_limit", "failed_authentications")
    @classmethod
    def _rate_is_readable(cls, text: str) -> str:
        limits.parse(text)
        return text

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        given = [self.tls_cert_file, self.tls_key_file, self.tls_ca_file]
        if any(given) and not all(given):
            raise ValueError("TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE belong together: set all three or none")
        return self

    def configured(self) -> dict[str, bool]:
        """Return of each setting that may be left out whether it is set; values stay secret."""
        optional = (name for name, field in type(self).model_fields.items() if field.default is None)
        return {name: getattr(self, name) is not None for name in optional}


def reveal(value: SecretStr | Secret[Any] | None) -> str | None:
    """Return the text of a secret, or None."""
    return None if value is None else str(value.get_secret_value())
