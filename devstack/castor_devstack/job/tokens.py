"""`castor token`: credentials through the ingress, as any client gets them."""

from __future__ import annotations

import base64
import json
import time

from castor_devstack.errors import DevstackError
from castor_devstack.job.ingress_client import Door, Rejected
from castor_devstack.stack.credentials import ADMIN_EMAIL, Credentials, new_password
from castor_devstack.supervision.state_folder import Home

# An access token lives for 15 minutes. One that is kept is handed out again while most of that is left:
# logins are rate limited, and scripts call this command often.
WORTH_REUSING_SECONDS = 600


def access_token(home: Home, email: str = ADMIN_EMAIL) -> str:
    """Return a user's access token; a user that is unknown is registered first.

    Raises ``DevstackError`` when CASTOR does not run, or when the account exists with a password that is
    not kept here.
    """
    door, credentials = Door.of(home), Credentials.load(home.secrets_file)
    kept = credentials.recall("tokens", email)
    if kept is not None and _still_good(door, kept):
        return kept
    token = _log_in(door, email, _password(door, credentials, email))
    credentials.keep("tokens", email, token)
    return token


def scoped_key(home: Home, email: str, scopes: tuple[str, ...]) -> str:
    """Return an API key of a user that has these scopes alone, valid for a day.

    It is accepted wherever an access token is. The same key is returned while it is in force.
    """
    token = access_token(home, email)
    door, credentials = Door.of(home), Credentials.load(home.secrets_file)
    name = " ".join(sorted(set(scopes)))
    kept = credentials.recall("keys", f"{email} {name}")
    if kept is not None and _in_force(door, token, kept):
        return kept
    wanted = {"name": f"castor token: {name}"[:120], "scopes": name.split(), "expires_in_days": 1}
    key = str(door.call("POST", "/v1/auth/api-keys", wanted, token=token)["key"])
    credentials.keep("keys", f"{email} {name}", key)
    return key


def _password(door: Door, credentials: Credentials, email: str) -> str:
    if email == ADMIN_EMAIL:
        return credentials.get("admin")
    password = credentials.recall("users", email)
    if password is None:
        password = _register(door, email)
        credentials.keep("users", email, password)
    return password


def _register(door: Door, email: str) -> str:
    password = new_password()
    try:
        door.call("POST", "/v1/auth/register", {"email": email, "password": password})
    except Rejected as error:
        if error.status == 409:
            raise _unknown_password(email) from error
        raise
    return password


def _log_in(door: Door, email: str, password: str) -> str:
    try:
        session = door.call("POST", "/v1/auth/login", {"email": email, "password": password})
    except Rejected as error:
        if error.status == 401:
            raise _unknown_password(email) from error
        raise
    return str(session["tokens"]["access_token"])


def _still_good(door: Door, token: str) -> bool:
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if claims["exp"] - time.time() < WORTH_REUSING_SECONDS:
        return False
    try:
        door.call("GET", "/v1/auth/me", token=token)
    except Rejected:
        return False
    return True


def _in_force(door: Door, token: str, key: str) -> bool:
    keys = door.call("GET", "/v1/auth/api-keys", token=token)["items"]
    return key.split("_")[1] in {item["id"] for item in keys}


def _unknown_password(email: str) -> DevstackError:
    return DevstackError(
        f"The account {email} exists with a password that is not kept on this machine; "
        "log in with it at POST /v1/auth/login, or choose another address."
    )
