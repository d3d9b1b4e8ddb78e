"""The outbox sends every mail that can be sent, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from auth_service.crypto.vault import Vault
from auth_service.mail.outbox import ATTEMPTS, Outbox, QueuedMail, pause
from auth_service.mail.sender import Message, SmtpSender
from auth_service.mail.templates import message
from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
ENCODED = ["=?utf-8?q?=0A?=@b.co", "=?utf-8?b?__?=@b.co", "=?utf-8?q?victim?=@x.co"]


@pytest_asyncio.fixture(loop_scope="module")
async def outbox(postgres_url: str, mailbox: Any) -> AsyncIterator[Outbox]:
    """An outbox that sends through the mail server; a mail of the kind ``broken`` cannot even be written."""
    await migrate(postgres_url, "auth_service")
    postgres = Postgres(postgres_url)
    await postgres.open()
    sender = SmtpSender(mailbox.url, "castor@example.com", None, 10)

    async def compose(mail: QueuedMail) -> Message | None:
        return message(mail.kind, mail.to)

    yield Outbox(postgres, Vault("a secret for tests only, long enough"), sender, compose)
    sender.close()
    await postgres.close()


@pytest.mark.parametrize("mail", [("password_changed", address) for address in ENCODED] + [("broken", "a@b.co")])
async def test_a_mail_that_cannot_be_sent_holds_up_no_other(
    outbox: Outbox, mailbox: Any, people: Any, mail: tuple[str, str]
) -> None:
    """Its attempts are counted until it is given up; the mails behind it arrive, and nobody else gets it."""
    kind, address = mail
    behind = people.email()
    async with outbox.postgres.transaction() as db:
        await outbox.append(db, kind, address)
        await outbox.append(db, "password_changed", behind)
    running = asyncio.ensure_future(outbox.run())
    try:
        await mailbox.next(behind)
        assert await outbox.postgres.fetchval("SELECT max(attempts) FROM outbox") == 1
        await outbox.postgres.execute("UPDATE outbox SET attempts = $1, due_at = now()", ATTEMPTS - 1)

        async def given_up() -> bool:
            return not await outbox.postgres.fetchval("SELECT count(*) FROM outbox")

        await until(given_up)
        assert not running.done()
    finally:
        running.cancel()
    assert [sent["To"] for sent in mailbox.mails if sent["To"] in ("victim@x.co", "a@b.co")] == []


async def test_the_readme_says_how_long_mails_are_tried() -> None:
    """The pauses between the attempts add up to what an operator is told."""
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    said = re.search(r"tried ten times over about (\d+) minutes", readme)
    assert said is not None
    assert ATTEMPTS == 10
    total = sum(pause(attempts).total_seconds() for attempts in range(ATTEMPTS - 1))
    assert round(total / 600) * 10 == int(said[1])
