"""Certificates of the development authority, judged by real TLS handshakes."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from castor_devstack.stack.pki import LEAF_LIFETIME, RENEW_BEFORE, Authority, Leaf, Names

SERVICE = ("twitter-service", Names.service("twitter-service"))
OTHER = ("rag-service", Names.service("rag-service"))
PUBLIC = ("public", Names.public_server())


def context(protocol: int, leaf: Leaf, folder: Path) -> ssl.SSLContext:
    """Return a context that proves itself with ``leaf`` and demands a certificate of the authority."""
    made = ssl.SSLContext(protocol)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    # What newer Python versions demand of a chain by default.
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.load_cert_chain(leaf.certificate, leaf.key)
    made.load_verify_locations(folder / "ca.pem")
    return made


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """Do a handshake in memory and return the server's side; raises ``ssl.SSLError`` when a side refuses."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    theirs.do_handshake()
    return theirs


@pytest.mark.parametrize("name", ["rag-service", "localhost", "127.0.0.1"])
def test_services_know_each_other_by_their_certificates(tmp_path: Path, name: str) -> None:
    """Two leaves shake hands under every name a peer may use, and the server reads the client's identity."""
    authority = Authority(tmp_path)
    authority.ensure([SERVICE, OTHER])
    server = context(ssl.PROTOCOL_TLS_SERVER, authority.leaf(OTHER[0]), tmp_path)
    client = context(ssl.PROTOCOL_TLS_CLIENT, authority.leaf(SERVICE[0]), tmp_path)
    certificate = shake_hands(server, client, name).getpeercert()
    assert certificate is not None
    assert ("URI", "spiffe://castor/twitter-service") in certificate["subjectAltName"]


def test_the_public_certificate_is_no_identity(tmp_path: Path) -> None:
    """What the ingress shows to users serves as localhost, but no service takes it for a client."""
    authority = Authority(tmp_path)
    authority.ensure([SERVICE, PUBLIC])
    public = context(ssl.PROTOCOL_TLS_SERVER, authority.leaf("public"), tmp_path)
    service = authority.leaf(SERVICE[0])
    shake_hands(public, context(ssl.PROTOCOL_TLS_CLIENT, service, tmp_path), "localhost")
    client = context(ssl.PROTOCOL_TLS_CLIENT, authority.leaf("public"), tmp_path)
    with pytest.raises(ssl.SSLError):
        shake_hands(context(ssl.PROTOCOL_TLS_SERVER, service, tmp_path), client, "localhost")


def test_a_stranger_is_refused(tmp_path: Path) -> None:
    """A leaf of another authority does not get in."""
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    ours.ensure([SERVICE])
    theirs.ensure([SERVICE])
    server = context(ssl.PROTOCOL_TLS_SERVER, ours.leaf(SERVICE[0]), ours.folder)
    stranger = context(ssl.PROTOCOL_TLS_CLIENT, theirs.leaf(SERVICE[0]), ours.folder)
    with pytest.raises(ssl.SSLError):
        shake_hands(server, stranger, "localhost")


def test_a_leaf_is_issued_anew_in_its_last_week_only(tmp_path: Path) -> None:
    """With more than seven days left nothing changes; with less the leaf is replaced, and both files together."""
    authority = Authority(tmp_path)
    leaf = authority.leaf(SERVICE[0])
    assert authority.ensure([SERVICE]) == [SERVICE[0]]
    first = leaf.certificate.read_bytes()
    almost = datetime.now(UTC) + LEAF_LIFETIME - RENEW_BEFORE
    assert Authority(tmp_path, now=almost - timedelta(hours=1)).ensure([SERVICE]) == []
    assert leaf.certificate.read_bytes() == first
    assert Authority(tmp_path, now=almost + timedelta(hours=1)).ensure([SERVICE]) == [SERVICE[0]]
    assert leaf.certificate.read_bytes() != first
    assert leaf.certificate.resolve().parent == leaf.key.resolve().parent
    context(ssl.PROTOCOL_TLS_SERVER, leaf, tmp_path)


def test_damage_is_mended(tmp_path: Path) -> None:
    """A broken, missing or foreign leaf is issued anew; a lost authority is replaced with all its leaves."""
    authority = Authority(tmp_path)
    authority.ensure([SERVICE, OTHER])
    authority.leaf(SERVICE[0]).key.write_text("garbage")
    authority.leaf(OTHER[0]).certificate.unlink()
    assert authority.ensure([SERVICE, OTHER]) == [SERVICE[0], OTHER[0]]
    (tmp_path / "ca.key").unlink()
    assert Authority(tmp_path).ensure([SERVICE, OTHER]) == [SERVICE[0], OTHER[0]]


def test_old_leaves_do_not_pile_up(tmp_path: Path) -> None:
    """After many renewals the leaf in use and its predecessor remain."""
    for month in range(4):
        Authority(tmp_path, now=datetime.now(UTC) + timedelta(days=29 * month)).ensure([SERVICE])
    kept = [entry for entry in (tmp_path / SERVICE[0]).iterdir() if not entry.is_symlink()]
    assert len(kept) == 2


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    """No private key can be read by another user, and the lifetime is the promised one."""
    authority = Authority(tmp_path)
    authority.ensure([SERVICE])
    for key in (tmp_path / "ca.key", authority.leaf(SERVICE[0]).key):
        assert key.stat().st_mode & 0o077 == 0
    certificate = x509.load_pem_x509_certificate(authority.leaf(SERVICE[0]).certificate.read_bytes())
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert timedelta(0) <= lifetime - LEAF_LIFETIME <= timedelta(hours=2)
