"""Sends mail: through SMTP or, for development, into the log."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import SecretStr

from castor_chassis import Unavailable, reveal

log = structlog.get_logger("castor.auth.mail")
_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}


class MailServerUnavailable(Unavailable):
    """The mail server did not accept a message."""

    code = "mail_server_unavailable"


@dataclass(frozen=True, slots=True)
class Message:
    """A mail to one address."""

    kind: str
    to: str
    subject: str
    text: str = field(repr=False)
    token: SecretStr | None = None
    """The one-time token in the text, for those who read the log instead."""


class MailSender(Protocol):
    """Delivers messages."""

    async def deliver(self, message: Message) -> None:
        """Hand a message over; raises ``MailServerUnavailable`` when it was not accepted, and ``ValueError`` for an
        address that no mail can be written to."""

    def close(self) -> None:
        """Release what is held."""


class LogSender:
    """Writes messages to the log, tokens included: for development, where whoever reads the log is the user."""

    async def deliver(self, message: Message) -> None:
        """Log the message."""
        log.info(
            "notification", kind=message.kind, to=message.to, subject=message.subject, one_time=reveal(message.token)
        )

    def close(self) -> None:
        """Hold nothing."""


class SmtpSender:
    """Sends messages through one SMTP server, one at a time, on a thread of its own.

    ``url`` is ``smtps://`` (TLS from the start), ``smtp+starttls://`` or ``smtp://`` (plain), with user and password
    in it when the server needs them.
    """

    def __init__(self, url: str, sender: str, ca_file: Path | None, timeout_seconds: float) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._timeout = timeout_seconds
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smtp")

    async def deliver(self, message: Message) -> None:
        """Send the message; see ``MailSender``."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._send, message)
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerUnavailable(reason=f"The mail server failed ({type(error).__name__})") from error

    def _send(self, message: Message) -> None:
        mail = self._mail(message)
        with self._connected() as server:
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            server.send_message(mail, to_addrs=[message.to])

    def _connected(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port or _PORTS[self._url.scheme]
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout, context=self._tls)
        server = smtplib.SMTP(host, port, timeout=self._timeout)
        if self._url.scheme == "smtp+starttls":
            server.starttls(context=self._tls)
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, _checked(message.to), message.subject
        mail["Date"], mail["Message-ID"] = formatdate(usegmt=True), make_msgid(domain=self._sender.partition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail

    def close(self) -> None:
        """Stop the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _checked(address: str) -> str:
    """Return an address that a header holds as it is; raises ``ValueError`` where a reader would take it for another.

    The parser of ``email`` decodes encoded words (RFC 2047) in addresses too, and fails on some with ``IndexError``.
    """
    try:
        read = [each.addr_spec for each in EmailPolicy().header_factory("To", address).addresses]
    except IndexError:
        read = []
    if read != [address]:
        raise ValueError("the address cannot stand in the header of a mail")
    return address
