"""How people are told: by e-mail through SMTP, or, while developing, in the log."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import structlog

from castor_chassis import Unavailable

log = structlog.get_logger("auth.notifier")
SCHEMES = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotifierUnavailable(Unavailable):
    """The mail server did not take a message."""

    code = "notifier_unavailable"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be said to somebody."""

    kind: str
    to: str
    subject: str
    text: str
    token: str | None = None
    """What a one-time token in the text is, for those who read the log instead."""


class Notifier(Protocol):
    """Delivers messages."""

    async def deliver(self, message: Message) -> None:
        """Hand a message over; raises ``NotifierUnavailable`` when it was not taken."""

    def close(self) -> None:
        """Give back what is held."""


class LogNotifier:
    """Writes messages to the log, tokens included: for development, where whoever reads the log is the user."""

    async def deliver(self, message: Message) -> None:
        """Log the message."""
        log.info("notification", kind=message.kind, to=message.to, subject=message.subject, one_time=message.token)

    def close(self) -> None:
        """Hold nothing."""


class SmtpNotifier:
    """Sends messages through one SMTP server, one at a time, on a thread of its own.

    ``url`` is ``smtps://`` (TLS from the start), ``smtp+starttls://``, or for the loopback alone ``smtp://``, with
    user and password in it when the server wants them.
    """

    def __init__(self, url: str, sender: str, ca_file: Path | None, timeout_seconds: float) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._timeout = timeout_seconds
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smtp")

    async def deliver(self, message: Message) -> None:
        """Send the message; raises ``NotifierUnavailable``."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._send, message)
        except (smtplib.SMTPException, OSError) as error:
            raise NotifierUnavailable(reason=f"The mail server failed ({type(error).__name__})") from error

    def _send(self, message: Message) -> None:
        with self._connected() as server:
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            server.send_message(self._mail(message))

    def _connected(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port or SCHEMES[self._url.scheme]
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout, context=self._tls)
        server = smtplib.SMTP(host, port, timeout=self._timeout)
        if self._url.scheme == "smtp+starttls":
            server.starttls(context=self._tls)
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, message.to, message.subject
        mail["Date"], mail["Message-ID"] = formatdate(usegmt=True), make_msgid(domain=self._sender.partition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail

    def close(self) -> None:
        """Give the thread back."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def check_smtp_url(url: str) -> SplitResult:
    """Return the parts of a usable address; raises ``ValueError`` that says what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError("must be smtps://host, smtp+starttls://host, or smtp://localhost")
    if parts.scheme == "smtp" and parts.hostname not in LOOPBACK:
        raise ValueError("smtp:// sends one-time tokens in clear; use smtps:// or smtp+starttls://")
    return parts
