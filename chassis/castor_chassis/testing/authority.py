"""A certificate authority in memory (EC P-256)."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from castor_chassis.tls import TRUST_DOMAIN, TlsFiles

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Authority:
    """Issues leaves whose identity is the SAN URI ``spiffe://castor/<service>``."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, name: str = "CASTOR test authority", *, lifetime: timedelta = timedelta(days=3650)) -> Authority:
        """Return a new, self-signed authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key(), lifetime)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def pem(self) -> bytes:
        """The authority's certificate."""
        return self.certificate.public_bytes(_PEM)

    def issue(
        self, service: str, *, lifetime: timedelta = timedelta(days=30), spiffe_id: str | None = None
    ) -> tuple[bytes, bytes]:
        """Return (certificate, key) in PEM for ``service``, valid for its name, localhost and 127.0.0.1.

        A negative ``lifetime`` makes a certificate that has expired already.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, service)])
        names: list[x509.GeneralName] = [
            x509.UniformResourceIdentifier(spiffe_id or TRUST_DOMAIN + service),
            x509.DNSName(service),
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        builder = _builder(subject, self.certificate.subject, key.public_key(), lifetime)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(_PEM), private_pem(key)

    def write(self, folder: Path, service: str, *, lifetime: timedelta = timedelta(days=30)) -> TlsFiles:
        """Issue a leaf and write it with the authority into ``folder``; return the three paths."""
        folder.mkdir(parents=True, exist_ok=True)
        files = TlsFiles(folder / f"{service}.crt", folder / f"{service}.key", folder / "ca.crt")
        certificate, key = self.issue(service, lifetime=lifetime)
        replace_file(files.key, key)
        replace_file(files.certificate, certificate)
        replace_file(files.authorities, self.pem)
        return files


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return an unencrypted PKCS #8 PEM."""
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def replace_file(path: Path, content: bytes) -> None:
    """Write ``path`` in one step, readable by its owner only."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(temporary, path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    end = now + lifetime
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - timedelta(minutes=5))
        .not_valid_after(end)
    )
