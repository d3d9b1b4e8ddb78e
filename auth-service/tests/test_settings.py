"""Settings and contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from auth_service.app import create_app
from auth_service.settings import AuthSettings, check_smtp_url
from castor_chassis.testing import Authority
from castor_chassis.wire.openapi import export_contract


def test_settings_that_cannot_work_are_refused() -> None:
    """A missing or short secret, half an administrator and a weak administrator end with a sentence each."""
    secret = "s" * 32
    for values, words in (
        ({}, "key_encryption_secret"),
        ({"key_encryption_secret": "short"}, "at least 32 random characters"),
        ({"key_encryption_secret": secret, "bootstrap_admin_email": "a@b.co"}, "belong together"),
        (
            {"key_encryption_secret": secret, "bootstrap_admin_email": "a@b.co", "bootstrap_admin_password": "short"},
            "shorter than 10 characters",
        ),
        ({"key_encryption_secret": secret, "notifier": "smtp"}, "needs SMTP_URL"),
        ({"key_encryption_secret": secret, "notifier": "smtp", "smtp_url": "smtp://mail.example.com"}, "in clear"),
        ({"key_encryption_secret": secret, "mfa_required_roles": "admin emperor"}, "emperor"),
    ):
        with pytest.raises(ValidationError, match=words):
            AuthSettings(**values)


def test_one_time_tokens_go_to_the_log_of_a_developer_only() -> None:
    """The default notifier is refused at the start unless development is declared; a mail server always does."""
    secret = {"key_encryption_secret": "s" * 32}
    with pytest.raises(ValueError, match=r"NOTIFIER=log .* SMTP_URL, or, .* DEVELOPMENT=true"):
        AuthSettings(**secret).check_notifier()
    AuthSettings(**secret, development=True).check_notifier()
    AuthSettings(**secret, notifier="smtp", smtp_url="smtps://mail").check_notifier()


async def test_the_service_does_not_start_with_tokens_in_its_log() -> None:
    """Where nobody declared development, the start ends with the reason, before a request is served."""
    app = create_app(AuthSettings(key_encryption_secret="s" * 32))
    with pytest.raises(ValueError, match="DEVELOPMENT=true"):
        async with app.router.lifespan_context(app):
            pass


def test_a_wrong_notifier_is_one_sentence_for_the_operator(authority: Authority, tmp_path: Path) -> None:
    """The command ends before it serves, with what to set and without a traceback."""
    needed = {"KEY_ENCRYPTION_SECRET": "s" * 32, "DATABASE_URL": "postgresql://u:p@127.0.0.1/auth"}
    written = authority.write(tmp_path, "auth-service")
    files = {"TLS_CERT_FILE": written.certificate, "TLS_KEY_FILE": written.key, "TLS_CA_FILE": written.authorities}
    command = [sys.executable, "-m", "auth_service", "serve"]
    environment = {"PATH": "", **needed, **{name: str(path) for name, path in files.items()}}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=110, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("NOTIFIER=log writes one-time tokens into the log")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["http://mail", "smtp://mail.example.com", "smtps://", "mail"])
def test_addresses_that_would_not_do_are_refused(url: str) -> None:
    """A scheme that is unknown, or that would send tokens in clear over a network, is refused with a sentence."""
    with pytest.raises(ValueError, match="smtps://"):
        check_smtp_url(url)


def test_contract_is_exported_without_secret_or_database() -> None:
    """The contract needs no setting, and documents the token endpoint's own error shape."""
    contract = yaml.safe_load(export_contract(create_app(AuthSettings.model_construct())))
    refused = contract["paths"]["/v1/auth/token"]["post"]["responses"]["400"]["content"]["application/json"]["schema"]
    assert "#/components/schemas/OAuthErrorView" in [option["$ref"] for option in refused["anyOf"]]
