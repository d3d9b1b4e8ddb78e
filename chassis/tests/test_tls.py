"""Mutual TLS over real sockets: who gets in, who is put out, and renewal without a restart."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, until
from castor_chassis.testing.authority import replace_file
from castor_chassis.tls import PeerIdentity, TlsFiles, TlsIdentity
from small_service import Running


def client_for(context: ssl.SSLContext | bool, url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, verify=context, trust_env=False, timeout=5)


async def refused(context: ssl.SSLContext, url: str) -> bool:
    """True when the server does not answer a client with this context."""
    async with client_for(context, url) as client:
        try:
            await client.get("/v1/small/slow?seconds=0")
        except (httpx.TransportError, ssl.SSLError):
            return True
    return False


async def test_client_with_certificate_is_answered(running: Running) -> None:
    """A client whose certificate our authority signed is answered."""
    async with running() as service:
        assert (await service.client.get("/v1/small/slow?seconds=0")).status_code == 200


async def test_no_certificate_is_refused(running: Running, files: TlsFiles) -> None:
    """A client without a certificate gets no answer at all, whatever the path."""
    context = ssl.create_default_context(cafile=str(files.authorities))
    async with running() as service:
        assert await refused(context, service.url)


async def test_certificate_of_another_authority_is_refused(running: Running, files: TlsFiles, tmp_path: Path) -> None:
    """A certificate that another authority signed is refused."""
    stranger = Authority.create("stranger").write(tmp_path / "stranger", "twitter-service")
    context = TlsFiles(stranger.certificate, stranger.key, files.authorities).client_context()
    async with running() as service:
        assert await refused(context, service.url)


async def test_expired_certificate_is_refused_at_the_handshake(
    running: Running, authority: Authority, tmp_path: Path
) -> None:
    """A certificate past its end cannot open a connection."""
    late = authority.write(tmp_path / "late", "twitter-service", lifetime=timedelta(seconds=-5))
    async with running() as service:
        assert await refused(late.client_context(), service.url)


async def test_tls_1_2_is_refused(running: Running, caller: TlsFiles) -> None:
    """Nothing below TLS 1.3 is spoken."""
    context = caller.client_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with running() as service:
        assert await refused(context, service.url)


async def test_no_session_ticket_is_ever_issued(running: Running, caller: TlsFiles) -> None:
    """After a full exchange the client holds no ticket, so there is nothing to resume with."""
    async with running() as service:
        port = int(service.url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=caller.client_context())
        writer.write(b"GET /v1/small/slow?seconds=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        session = writer.get_extra_info("ssl_object").session
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert session is None or not session.has_ticket


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
async def test_resumed_session_without_certificate_is_refused(
    running: Running, caller: TlsFiles, tmp_path: Path
) -> None:
    """A session saved by a client with a certificate does not let a client without one in."""
    session = tmp_path / "session.pem"
    async with running() as service:
        base = ["openssl", "s_client", "-connect", service.url.removeprefix("https://"), "-CAfile", caller.authorities]
        ask = b"GET /v1/small/slow?seconds=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        own = ["-cert", caller.certificate, "-key", caller.key, "-sess_out", session, "-ign_eof"]
        first = await asyncio.to_thread(subprocess.run, [*base, *own], input=ask, capture_output=True, timeout=20)
        assert b"HTTP/1.1 200" in first.stdout
        resume = ["-sess_in", session, "-ign_eof"] if session.exists() else ["-ign_eof"]
        second = await asyncio.to_thread(subprocess.run, [*base, *resume], input=ask, capture_output=True, timeout=20)
    assert b"HTTP/1.1 200" not in second.stdout
    assert b"Reused" not in second.stdout


async def test_expired_peer_is_refused_on_a_kept_alive_connection(
    running: Running, authority: Authority, tmp_path: Path
) -> None:
    """A connection that outlives its client's certificate is answered 401 and closed."""
    answers: list[httpx.Response] = []
    async with running() as service:
        brief = authority.write(tmp_path / "brief", "twitter-service", lifetime=timedelta(seconds=5))
        async with client_for(brief.client_context(), service.url) as client:

            async def is_refused() -> bool:
                answers.append(await client.get("/v1/small/slow?seconds=0.1"))
                return answers[-1].status_code != 200

            await until(is_refused)
    assert (answers[0].status_code, answers[-1].status_code) == (200, 401)
    assert answers[-1].headers["connection"] == "close"
    assert "expired" in answers[-1].json()["error"]


async def test_old_connection_is_closed_so_that_the_peer_proves_itself_anew(running: Running) -> None:
    """A kept-alive connection older than its greatest age is closed with its next answer."""
    async with running(connection_max_age_seconds=2) as service:
        first = await service.client.get("/v1/small/slow?seconds=0")
        await asyncio.sleep(2.1)
        second = await service.client.get("/v1/small/slow?seconds=0")
    assert "connection" not in first.headers
    assert second.headers["connection"] == "close"


async def test_ingress_may_not_reach_internal_paths(running: Running, authority: Authority, tmp_path: Path) -> None:
    """The ingress's own certificate is refused under /internal, a service's is not."""
    ingress = authority.write(tmp_path / "ingress", "ingress")
    async with running() as service, client_for(ingress.client_context(), service.url) as outside:
        assert (await outside.get("/internal/hidden")).status_code == 403
        assert (await service.client.get("/internal/hidden")).status_code == 200


async def served_serial(files: TlsFiles, url: str) -> str:
    """Return the serial number of the certificate that a new connection is shown."""
    host, port = url.removeprefix("https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=files.client_context())
    serial = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
    writer.close()
    return str(serial)


async def test_certificate_is_renewed_without_restart(
    running: Running, authority: Authority, files: TlsFiles, caller: TlsFiles
) -> None:
    """After the files change, the next handshake shows the new certificate; open connections live on."""
    async with running(tls_poll_seconds=0.05) as service:
        assert (await service.client.get("/v1/small/slow?seconds=0")).status_code == 200
        before = await served_serial(caller, service.url)
        authority.write(files.certificate.parent, "small-service")

        async def renewed() -> bool:
            return await served_serial(caller, service.url) != before

        await until(renewed)
        assert (await service.client.get("/v1/small/slow?seconds=0")).status_code == 200


async def test_authority_is_dropped_without_restart(
    running: Running, files: TlsFiles, caller: TlsFiles, tmp_path: Path
) -> None:
    """When an authority leaves the bundle, its clients are refused and those of the new one let in."""
    new = Authority.create("new")
    newcomer = new.write(tmp_path / "new", "twitter-service")
    newcomer_context = TlsFiles(newcomer.certificate, newcomer.key, files.authorities).client_context()
    async with running(tls_poll_seconds=0.05) as service:
        assert await refused(newcomer_context, service.url)
        replace_file(files.authorities, new.pem)

        async def swapped() -> bool:
            return not await refused(newcomer_context, service.url)

        await until(swapped)
        assert await refused(caller.client_context(), service.url)


def test_mismatched_pair_keeps_the_old_identity(authority: Authority, files: TlsFiles) -> None:
    """A new certificate beside the old key is not taken up, and heals once the key arrives."""
    identity = TlsIdentity(files)
    context = identity.client
    certificate, key = authority.issue("small-service")
    replace_file(files.certificate, certificate)
    assert not identity.reload_if_changed()
    assert identity.client is context
    replace_file(files.key, key)
    assert identity.reload_if_changed()
    assert identity.client is not context


def test_identity_needs_our_trust_domain() -> None:
    """A SPIFFE id of another trust domain names no service of ours."""
    stranger = PeerIdentity("spiffe://elsewhere/twitter-service", not_after=0, thumbprint="x")
    assert stranger.service is None
    assert PeerIdentity("spiffe://castor/rag-service", not_after=0, thumbprint="x").service == "rag-service"
