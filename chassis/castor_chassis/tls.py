"""Mutual TLS: identities, server and client contexts, and their renewal without a restart.

TLS 1.3 only, client certificates required, no session tickets: a resumed session would let a client
in without its certificate while the server still reports the old identity.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog
from cryptography import x509

from castor_chassis.metrics import CERTIFICATE_END, TLS_RELOADS
from castor_chassis.settings import ServiceSettings

log = structlog.get_logger("castor.tls")
TRUST_DOMAIN = "spiffe://castor/"


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """The other end of a connection, as its certificate proves."""

    spiffe_id: str | None
    not_after: float
    """End of validity, Unix seconds."""
    thumbprint: str
    """Base64url SHA-256 of the DER certificate: ``x5t#S256`` of RFC 8705."""

    @property
    def service(self) -> str | None:
        """Name within our trust domain, for example ``twitter-service``; None for strangers."""
        if self.spiffe_id is None or not self.spiffe_id.startswith(TRUST_DOMAIN):
            return None
        return self.spiffe_id.removeprefix(TRUST_DOMAIN)


def is_service(name: str | None) -> bool:
    """True for the identity of a service, false for the ingress and for strangers."""
    return name is not None and name.endswith("-service")


def peer_identity(tls: ssl.SSLObject) -> PeerIdentity | None:
    """Read the peer's certificate; a SPIFFE id counts only if there is exactly one URI of that kind."""
    certificate = tls.getpeercert()
    der = tls.getpeercert(binary_form=True)
    if not certificate or not der:
        return None
    names = cast("tuple[tuple[str, str], ...]", certificate.get("subjectAltName", ()))
    ids = [value for kind, value in names if kind == "URI" and value.startswith("spiffe://")]
    return PeerIdentity(
        spiffe_id=ids[0] if len(ids) == 1 else None,
        not_after=float(ssl.cert_time_to_seconds(str(certificate["notAfter"]))),
        thumbprint=base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("="),
    )


@dataclass(frozen=True)
class TlsFiles:
    """The three PEM files of one identity."""

    certificate: Path
    key: Path
    authorities: Path

    def fingerprint(self) -> tuple[object, ...]:
        """Return what changes when any of the files does, symbolic links of mounted secrets included."""
        marks: list[object] = []
        for path in (self.certificate, self.key, self.authorities):
            stat = os.stat(path)
            marks.append((os.path.realpath(path), stat.st_ino, stat.st_mtime_ns, stat.st_size))
        return tuple(marks)

    def not_after(self) -> float:
        """Return the end of the certificate, Unix seconds."""
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return certificate.not_valid_after_utc.timestamp()

    def server_context(self) -> ssl.SSLContext:
        """Return a new server context; raises ``ssl.SSLError`` when key and certificate do not match."""
        return self._context(ssl.PROTOCOL_TLS_SERVER)

    def client_context(self) -> ssl.SSLContext:
        """Return a new client context that checks the server's name and presents our certificate."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT)

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        if protocol == ssl.PROTOCOL_TLS_SERVER:
            context.num_tickets = 0
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.authorities)
        return context


class TlsIdentity:
    """The contexts of one identity, replaced whole when the files change.

    A whole new context is the only way to drop an authority: ``load_verify_locations`` only adds.
    It is built aside first, because loading a mismatched pair into a live context breaks it.
    """

    def __init__(self, files: TlsFiles) -> None:
        self.files = files
        self._seen = files.fingerprint()
        self._server = files.server_context()
        self.client = files.client_context()
        self.root = files.server_context()
        self.root.sni_callback = self._use_current
        self._listeners: list[Callable[[], None]] = []
        CERTIFICATE_END.set(files.not_after())

    def _use_current(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._server

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every renewal."""
        self._listeners.append(listener)

    def reload_if_changed(self) -> bool:
        """Take up changed files; keeps the old contexts, and says so, when the new ones do not load."""
        try:
            seen = self.files.fingerprint()
            if seen == self._seen:
                return False
            server, client = self.files.server_context(), self.files.client_context()
        except (OSError, ssl.SSLError) as error:
            TLS_RELOADS.labels("failed").inc()
            log.warning("tls_reload_failed", reason=str(error), kept="the certificate in use")
            return False
        self._seen, self._server, self.client = seen, server, client
        CERTIFICATE_END.set(self.files.not_after())
        TLS_RELOADS.labels("reloaded").inc()
        log.info("tls_reloaded", certificate=str(self.files.certificate))
        for listener in self._listeners:
            listener()
        return True

    async def watch(self, poll_seconds: float) -> None:
        """Check the files every ``poll_seconds`` until cancelled."""
        while True:
            await asyncio.sleep(poll_seconds)
            self.reload_if_changed()


def identity_of(settings: ServiceSettings) -> TlsIdentity | None:
    """Return the identity that the settings name, or None when they name no certificate."""
    certificate, key, authorities = settings.tls_cert_file, settings.tls_key_file, settings.tls_ca_file
    if certificate is None or key is None or authorities is None:
        return None
    return TlsIdentity(TlsFiles(certificate, key, authorities))
