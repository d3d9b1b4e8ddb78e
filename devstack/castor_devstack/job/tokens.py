"""`castor token`: credentials through the ingress, as any client gets them."""

from __future__ import annotations

import base64
import json
import sys
import time

from castor_devstack.errors import DevstackError
from castor_devstack.job.ingress_client import ErrorAnswer, IngressClient
from castor_devstack.stack.credentials import ADMIN_EMAIL, Credentials, new_password
from castor_devstack.supervision.state_folder import StateFolder

# An access token is valid for 15 minutes. A stored one is reused while at least this much is left:
# logins are rate limited, and scripts call this command often.
REUSE_IF_LEFT_SECONDS = 600


def access_token(state_folder: StateFolder, email: str = ADMIN_EMAIL) -> str:
    """Return a user's access token; an unknown user is registered first.

    Raises ``DevstackError`` when CASTOR does not run, or when the account exists with a password that is
    not stored on this machine.
    """
    ingress, credentials = IngressClient.of(state_folder), Credentials.load(state_folder.secrets_file)
    stored = credentials.recall("tokens", email)
    if stored is not None and _is_reusable(ingress, stored):
        return stored
    token = _log_in(ingress, email, _password(ingress, credentials, email))
    credentials.remember("tokens", email, token)
    return token


def scoped_key(state_folder: StateFolder, email: str, scopes: tuple[str, ...]) -> str:
    """Return an API key of a user with only these scopes, valid for a day.

    It is accepted wherever an access token is. The same key is returned until it expires or is revoked.
    """
    token = access_token(state_folder, email)
    ingress, credentials = IngressClient.of(state_folder), Credentials.load(state_folder.secrets_file)
    name = " ".join(sorted(set(scopes)))
    stored = credentials.recall("keys", f"{email} {name}")
    if stored is not None and _is_active(ingress, token, stored):
        return stored
    request = {"name": f"castor token: {name}"[:120], "scopes": name.split(), "expires_in_days": 1}
    key = str(ingress.call("POST", "/v1/auth/api-keys", request, token=token)["key"])
    credentials.remember("keys", f"{email} {name}", key)
    return key


def password(state_folder: StateFolder, email: str = ADMIN_EMAIL) -> str:
    """Return what a user of this stack signs in to the console with; an unknown user is registered."""
    return _password(IngressClient.of(state_folder), Credentials.load(state_folder.secrets_file), email)


def _password(ingress: IngressClient, credentials: Credentials, email: str) -> str:
    if email == ADMIN_EMAIL:
        return credentials.get("admin")
    password = credentials.recall("users", email)
    if password is None:
        password = _register(ingress, email)
        credentials.remember("users", email, password)
    return password


def _register(ingress: IngressClient, email: str) -> str:
    password = new_password()
    try:
        ingress.call("POST", "/v1/auth/register", {"email": email, "password": password})
    except ErrorAnswer as error:
        if error.status == 409:
            raise _unknown_password(email) from error
        raise
    # Standard output is the token or the password alone, which scripts take.
    sys.stderr.write(f"castor: there was no account {email}; it is registered now, as a viewer\n")
    return password


def _log_in(ingress: IngressClient, email: str, password: str) -> str:
    try:
        session = ingress.call("POST", "/v1/auth/login", {"email": email, "password": password})
    except ErrorAnswer as error:
        if error.status == 401:
            raise _unknown_password(email) from error
        raise
    return str(session["tokens"]["access_token"])


def _is_reusable(ingress: IngressClient, token: str) -> bool:
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if claims["exp"] - time.time() < REUSE_IF_LEFT_SECONDS:
        return False
    try:
        ingress.call("GET", "/v1/auth/me", token=token)
    except ErrorAnswer:
        return False
    return True


def _is_active(ingress: IngressClient, token: str, key: str) -> bool:
    keys = ingress.call("GET", "/v1/auth/api-keys", token=token)["items"]
    return key.split("_")[1] in {item["id"] for item in keys}


def _unknown_password(email: str) -> DevstackError:
    return DevstackError(
        f"The account {email} exists with a password that is not stored on this machine; "
        "log in with it at POST /v1/auth/login, or choose another address."
    )
