"""`castor token` against the real auth-service, through the real ingress."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.job.ingress_client import ErrorAnswer, IngressClient
from castor_devstack.job.tokens import access_token, password, scoped_key
from castor_devstack.lifecycle.background import launch_detached
from castor_devstack.lifecycle.down import stop_stack
from castor_devstack.stack.credentials import ADMIN_EMAIL
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.testing import scratch_folder

PROGRAM = (sys.executable, str(Path(__file__).parents[1] / "tiny" / "tiny_stack.py"), "--real", "auth-service")


@pytest.fixture(scope="module")
def state_folder(test_account: Any) -> Iterator[StateFolder]:
    """A stack with auth-service alone."""
    with scratch_folder(test_account) as folder:
        state_folder = StateFolder(folder / "state")
        launch_detached(state_folder, print, PROGRAM)
        try:
            yield state_folder
        finally:
            stop_stack(state_folder, print)


def claims(token: str) -> dict[str, Any]:
    """Return what a token says."""
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def test_the_administrator_is_the_default(state_folder: StateFolder) -> None:
    """Without a name the token is the bootstrap administrator's, and it works."""
    token = access_token(state_folder)
    assert claims(token)["email"] == ADMIN_EMAIL
    assert "admin" in claims(token)["roles"]
    assert IngressClient.of(state_folder).call("GET", "/v1/auth/me", token=token)["email"] == ADMIN_EMAIL


def test_many_calls_cost_one_login(state_folder: StateFolder) -> None:
    """Twenty calls in a row, twice the login limit of a minute, give a token that works."""
    assert len({access_token(state_folder) for _ in range(20)}) == 1


def test_an_unknown_user_is_registered_and_known_from_then_on(
    state_folder: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new address gets an account, which is said beside the token, and the next call logs the same account in."""
    first = access_token(state_folder, "ana@example.org")
    assert "there was no account ana@example.org; it is registered now, as a viewer" in capsys.readouterr().err
    second = access_token(state_folder, "ana@example.org")
    assert capsys.readouterr().err == ""
    assert claims(first)["sub"] == claims(second)["sub"]
    assert "admin" not in claims(first)["roles"]


def test_an_account_with_an_unknown_password_is_reported(state_folder: StateFolder) -> None:
    """An account whose password is not stored here ends with a sentence, not with a new password."""
    account = {"email": "eva@example.org", "password": "her own long password"}
    IngressClient.of(state_folder).call("POST", "/v1/auth/register", account)
    with pytest.raises(DevstackError, match="password that is not stored on this machine"):
        access_token(state_folder, "eva@example.org")


def test_a_scoped_key_is_reused_until_it_is_revoked(state_folder: StateFolder) -> None:
    """The same scopes give the same key, in any order; a revoked key is replaced."""
    key = scoped_key(state_folder, ADMIN_EMAIL, ("tweets:read", "counts:read"))
    assert scoped_key(state_folder, ADMIN_EMAIL, ("counts:read", "tweets:read")) == key
    ingress, token = IngressClient.of(state_folder), access_token(state_folder)
    listed = {item["id"]: item for item in ingress.call("GET", "/v1/auth/api-keys", token=token)["items"]}
    assert listed[key.split("_")[1]]["scopes"] == ["counts:read", "tweets:read"]
    ingress.call("DELETE", f"/v1/auth/api-keys/{key.split('_')[1]}", token=token)
    assert scoped_key(state_folder, ADMIN_EMAIL, ("counts:read", "tweets:read")) != key


def test_a_scope_that_does_not_exist_is_refused(state_folder: StateFolder) -> None:
    """A misspelt scope ends with the sentence of auth-service."""
    with pytest.raises(ErrorAnswer) as refusal:
        scoped_key(state_folder, ADMIN_EMAIL, ("tweets:reed",))
    assert refusal.value.status == 422


def test_without_a_running_stack_the_error_says_how_to_start_it(tmp_path: Path) -> None:
    """Without a running stack the command says how to start it."""
    with pytest.raises(DevstackError, match="castor up --detach"):
        access_token(StateFolder(tmp_path / "state"))


def test_the_password_signs_in(state_folder: StateFolder) -> None:
    """What `castor password` prints is good for a login, of the administrator and of a user whom it registers."""
    ingress = IngressClient.of(state_folder)
    for email in (ADMIN_EMAIL, "console@castor.example"):
        body = {"email": email, "password": password(state_folder, email)}
        assert ingress.call("POST", "/v1/auth/login", body)["user"]["email"] == email
