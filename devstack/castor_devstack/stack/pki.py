"""The development certificate authority: certificates for every service, the ingress and its public address.

A leaf certificate is a folder ``<name>/<serial>/`` with certificate and key; the link ``<name>/current`` points
at the one in use. The link is replaced atomically, so a reader never finds a certificate beside the wrong key.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from castor_devstack.supervision.atomic_files import point_at, remove_tree, write_atomic

TRUST_DOMAIN = "spiffe://castor/"
LEAF_LIFETIME = timedelta(days=30)
RENEW_BEFORE = timedelta(days=7)
AUTHORITY_LIFETIME = timedelta(days=3650)

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Leaf:
    """Paths of one certificate and its key; they stay the same when it is renewed."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Names:
    """The names in a certificate."""

    common_name: str
    dns: tuple[str, ...]
    addresses: tuple[str, ...] = ("127.0.0.1",)
    spiffe: str | None = None

    @classmethod
    def service(cls, name: str) -> Names:
        """Return the names of a service: its SPIFFE id and the host names of its address."""
        return cls(name, (name, "localhost"), spiffe=TRUST_DOMAIN + name)

    @classmethod
    def public_server(cls) -> Names:
        """Return the names of the ingress for users; without a SPIFFE id."""
        return cls("CASTOR ingress", ("localhost",), ("127.0.0.1", "::1"))

    def alternatives(self) -> x509.SubjectAlternativeName:
        """Return the names as an X.509 extension."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in self.dns]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in self.addresses]
        names += [x509.UniformResourceIdentifier(self.spiffe)] if self.spiffe else []
        return x509.SubjectAlternativeName(names)

    def usages(self) -> x509.ExtendedKeyUsage:
        """Return the extended key usage: services are client and server, the public address is a server only."""
        client = [ExtendedKeyUsageOID.CLIENT_AUTH] if self.spiffe else []
        return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, *client])


class Authority:
    """Issues leaf certificates into one folder and renews them before they expire."""

    def __init__(self, folder: Path, *, now: datetime | None = None) -> None:
        self.folder = folder
        self._now = now or datetime.now(UTC)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / "ca.pem").exists() or not (folder / "ca.key").exists():
            self._create()
        self._key = _read_key(folder / "ca.key")
        self._certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())

    def leaf(self, name: str) -> Leaf:
        """Return the paths of the leaf of this name, issued or not."""
        current = self.folder / name / "current"
        return Leaf(current / "cert.pem", current / "key.pem")

    def ensure(self, names_by_leaf: Iterable[tuple[str, Names]]) -> list[str]:
        """Issue what is missing, damaged, of another authority or about to expire; return those names."""
        renewed = [(name, names) for name, names in names_by_leaf if not self._is_valid(self.leaf(name), names)]
        for name, names in renewed:
            self._issue(name, names)
        return [name for name, _ in renewed]

    def _is_valid(self, leaf: Leaf, names: Names) -> bool:
        try:
            certificate = x509.load_pem_x509_certificate(leaf.certificate.read_bytes())
            certificate.verify_directly_issued_by(self._certificate)
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            fits = _read_key(leaf.key).public_key() == certificate.public_key()
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        return fits and found == names.alternatives() and certificate.not_valid_after_utc - self._now > RENEW_BEFORE

    def _issue(self, name: str, names: Names) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(names.common_name, self._certificate.subject, key.public_key(), LEAF_LIFETIME)
        builder = builder.add_extension(names.alternatives(), critical=False)
        builder = builder.add_extension(names.usages(), critical=False)
        builder = builder.add_extension(_key_usage(authority=False), critical=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = builder.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        folder = self.folder / name / f"{certificate.serial_number:x}"
        folder.mkdir(mode=0o700, parents=True)
        write_atomic(folder / "key.pem", _pem_of(key))
        write_atomic(folder / "cert.pem", certificate.public_bytes(_PEM))
        point_at(self.folder / name / "current", folder.name)
        _remove_old(self.folder / name, folder.name)

    def _create(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("CASTOR development authority")
        builder = self._builder("CASTOR development authority", name, key.public_key(), AUTHORITY_LIFETIME)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        write_atomic(self.folder / "ca.key", _pem_of(key))
        write_atomic(self.folder / "ca.pem", builder.sign(key, hashes.SHA256()).public_bytes(_PEM), mode=0o644)

    def _builder(
        self, subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            # An hour back: the clocks of a machine and its containers differ.
            .not_valid_before(self._now - timedelta(hours=1))
            .not_valid_after(self._now + lifetime)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no elliptic-curve key")
    return key


def _remove_old(folder: Path, current: str) -> None:
    # A reader may have read the previous certificate and not its key yet, so the previous pair stays.
    old = [entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink() and entry.name != current]
    for entry in sorted(old, key=lambda each: each.stat().st_mtime)[:-1]:
        remove_tree(entry)
