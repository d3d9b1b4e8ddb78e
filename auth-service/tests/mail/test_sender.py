"""Mail is sent through SMTP, or into the log."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from auth_service.mail.sender import MailServerUnavailable, SmtpSender
from auth_service.mail.templates import KINDS, message
from castor_chassis.testing import Authority
from castor_devstack.stack.ports import PortLeases

pytestmark = pytest.mark.asyncio(loop_scope="module")


@contextmanager
def _server(mailbox: Any, context: ssl.SSLContext, port: int, *, implicit: bool) -> Iterator[None]:
    """A mail server that takes mail over TLS from one user only."""

    def authenticator(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"castor", b"p@ss/word"))

    secure: dict[str, Any] = (
        {"ssl_context": context, "auth_require_tls": False} if implicit else {"tls_context": context}
    )
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=port, authenticator=authenticator, auth_required=True, **secure
    )
    controller.start()
    try:
        yield
    finally:
        controller.stop()


async def test_the_development_notifier_logs_the_token(run_auth: Any, people: Any, capsys: Any) -> None:
    """With NOTIFIER=log the token stands in the log, and opens the account."""
    async with run_auth(registration="verified") as auth:
        await auth.ready()
        email = people.email()
        await auth.client.post("/v1/auth/register", json={"email": email, "password": people.password})
        seen, token = "", None
        while token is None:
            await asyncio.sleep(0.02)
            seen += capsys.readouterr().out
            lines = [line for line in seen.splitlines() if email in line and "one_time=" in line]
            token = lines[0].split("one_time=")[1].split()[0] if lines else None
        body = {"token": token, "password": people.password}
        assert (await auth.client.post("/v1/auth/register/confirm", json=body)).status_code == 201


@pytest.mark.parametrize(("scheme", "implicit"), [("smtps", True), ("smtp+starttls", False)])
async def test_mail_goes_over_tls_with_a_password(
    mailbox: Any, authority: Authority, tmp_path: Path, test_ports: PortLeases, scheme: str, implicit: bool
) -> None:
    """Both kinds of TLS deliver; a server of another authority, or another password, is an error."""
    files = authority.write(tmp_path, "mail-service")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    port = test_ports.choose({"smtp": 0})["smtp"]
    with _server(mailbox, context, port, implicit=implicit):
        address = f"{scheme}-reader@example.com"
        good = SmtpSender(
            f"{scheme}://castor:p%40ss%2Fword@127.0.0.1:{port}", "castor@example.com", files.authorities, 5
        )
        await good.deliver(message("password_reset", address, "the-token", valid_for=timedelta(minutes=10)))
        (mail,) = mailbox.to(address)
        assert (mail["From"], mail["Auto-Submitted"]) == ("castor@example.com", "auto-generated")
        assert "the-token" in mail.get_content()
        assert "10 minutos" in mail.get_content()
        for url, ca in (
            (f"{scheme}://castor:other@127.0.0.1:{port}", files.authorities),
            (f"{scheme}://castor:p%40ss%2Fword@127.0.0.1:{port}", None),
            (f"{scheme}://127.0.0.1:1", files.authorities),
        ):
            bad = SmtpSender(url, "castor@example.com", ca, 5)
            with pytest.raises(MailServerUnavailable, match="mail server failed"):
                await bad.deliver(message("password_changed", address))
            bad.close()
        good.close()
        assert len(mailbox.to(address)) == 1


async def test_an_address_cannot_add_headers() -> None:
    """A line break in an address or sender never becomes a header of the mail."""
    notifier = SmtpSender("smtp://127.0.0.1:1", "castor@example.com", None, 1)
    with pytest.raises(ValueError, match="line|header"):
        notifier._mail(message("password_changed", "a@example.com\nBcc: all@example.com"))
    notifier.close()


async def test_every_message_says_something_and_is_filled_in() -> None:
    """Each kind has a subject and a text without an unfilled place."""
    assert len(KINDS) >= 9
    for kind in KINDS:
        made = message(kind, "a@example.com", "the-token", valid_for=timedelta(hours=1))
        assert made.subject
        assert len(made.text) > 60
        assert "{" not in made.text + made.subject
