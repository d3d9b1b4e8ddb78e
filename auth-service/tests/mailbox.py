"""A mail server for tests."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """A mail server on the loopback that keeps what it is sent; ``refuses`` makes it fail, ``unknown`` are nobody's."""

    def __init__(self, port: int) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False
        self.unknown: set[str] = set()
        self.url = f"smtp://127.0.0.1:{port}"
        self.controller = Controller(self, hostname="127.0.0.1", port=port)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail, or refuse it for now."""
        if self.refuses:
            return "451 not now"
        if self.unknown.intersection(envelope.rcpt_tos):
            return "550 nobody of this name"
        mail = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def to(self, address: str) -> list[EmailMessage]:
        """Return what was sent to an address."""
        return [mail for mail in self.mails if mail["To"] == address]

    async def next(self, address: str, number: int = 1) -> EmailMessage:
        """Wait for the ``number``th mail to an address."""
        for _ in range(1000):
            if len(self.to(address)) >= number:
                return self.to(address)[number - 1]
            await asyncio.sleep(0.02)
        raise AssertionError(f"no mail number {number} to {address}; there are {[m['To'] for m in self.mails]}")

    async def token(self, address: str, number: int = 1) -> str:
        """Wait for the ``number``th mail to an address and return the token in it."""
        found = re.search(r"^([A-Za-z0-9_-]{43})\r?$", (await self.next(address, number)).get_content(), re.MULTILINE)
        assert found is not None
        return found[1]
