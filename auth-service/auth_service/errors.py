"""Errors of auth-service. The docstrings of ``ServiceError``s are descriptions in the contract."""

from __future__ import annotations

from typing import ClassVar

from castor_chassis import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Overloaded,
    ServiceError,
    Unauthenticated,
    Unavailable,
)


class InvalidCredentials(Unauthenticated):
    """Login was refused: one answer for an unknown address, a wrong password and a closed account."""

    code = "invalid_credentials"
    message = "The e-mail address or the password is wrong; check both and log in again."


class AccountChanged(Unauthenticated):
    """Password, address, second factor, roles or state changed between the check of the caller and the change."""

    code = "account_changed"
    is_guess = False
    message = "The account was changed while this request was handled; log in again and repeat it."


class InvalidRefreshToken(Unauthenticated):
    """The refresh token does not hold."""

    code = "invalid_refresh_token"
    message = "The refresh token is unknown, used, expired or revoked; log in again."


class SessionNotFound(NotFound):
    """The caller has no such session in force."""

    code = "session_not_found"
    message = "You have no session {session_id} in force; list yours with GET /v1/auth/sessions."


class EmailTaken(Conflict):
    """An account with this address exists."""

    code = "email_taken"
    message = "An account with this e-mail address exists; log in with POST /v1/auth/login."


class RegistrationClosed(Forbidden):
    """Nobody registers by himself here."""

    code = "registration_closed"
    message = "Registration is closed; ask an administrator for an account."


class InvalidOneTimeToken(Unauthenticated):
    """A token that was sent to an address does not hold, or does not go with the password."""

    code = "invalid_one_time_token"
    message = "The token is unknown, used or expired, or the password is not the one chosen with it; ask for another."


class WrongPassword(Forbidden):
    """The password that a change asks for again is wrong."""

    code = "wrong_password"
    message = "The password is wrong; this change needs your present password once more."


class MfaRequired(Forbidden):
    """The password is right; details.mfa_token is good for the second step."""

    code = "mfa_required"
    message = "A second factor is needed; send details.mfa_token and a code to POST /v1/auth/login/mfa."


class InvalidMfaToken(Unauthenticated):
    """The first step of a login does not hold any more."""

    code = "invalid_mfa_token"
    message = "The token of the first step is unknown or expired; log in with e-mail address and password again."


class InvalidCode(Forbidden):
    """The code of a second factor is wrong, or was used."""

    code = "invalid_code"
    is_guess = True
    message = "The code is wrong or was used; wait for the next one of your app, or use a recovery code."


class FactorConflict(Conflict):
    """A second factor is active where there should be none, or the other way round."""

    code = "mfa_conflict"


class TooManyAttempts(ServiceError):
    """Too many failed; the next may be made when Retry-After is over."""

    status = 429
    code = "too_many_attempts"
    message = "Too many attempts failed; wait as Retry-After says. A device that logged in before need not wait."


class OutboxFull(Overloaded):
    """Messages cannot be sent, and no more are taken."""

    code = "outbox_full"
    message = "Messages cannot be sent at present; try again as Retry-After says."


class OwnAccount(Conflict):
    """Administrators do not administer themselves: it would go around the password that /me asks for."""

    code = "own_account"
    message = "This is your own account; use the paths under /v1/auth/me, or ask another administrator."


class LastAdministrator(Conflict):
    """Nobody would be left to administer."""

    code = "last_administrator"
    message = "This is the last active administrator; give somebody else the role 'admin' first."


class WeakPassword(Invalid):
    """The password is too easy to guess; the sentence says why."""

    code = "weak_password"


class UserNotFound(NotFound):
    """No user has this id."""

    code = "user_not_found"
    message = "No user has the id {user_id}."


class ApiKeyNotFound(NotFound):
    """The caller has no such API key in force."""

    code = "api_key_not_found"
    message = "You have no API key {key_id} in force; list yours with GET /v1/auth/api-keys."


class ClientNotFound(NotFound):
    """No such client is in force."""

    code = "client_not_found"
    message = "There is no client {client_id} in force; list them with GET /v1/auth/clients."


class OidcClientNotFound(NotFound):
    """No such frontend is registered."""

    code = "oidc_client_not_found"
    message = "No frontend {client_id} is registered; list them with GET /v1/auth/oidc/clients."


class LoginPageExpired(Invalid):
    """A form that was not shown to this browser, or too long ago; browsers get a page that says so."""

    code = "login_page_expired"
    message = "The login page has expired; go back to the application and log in again."


class LogoutRefused(Invalid):
    """The ID token or the redirect URI of a logout is none that this provider knows."""

    code = "logout_refused"
    message = "{reason}"


class PasskeyRefused(Unauthenticated):
    """The answer of an authenticator does not hold, or answers no challenge of ours."""

    code = "passkey_refused"
    message = "{reason}; ask for new options and try again."


class PasskeyNotFound(NotFound):
    """The caller has no such passkey."""

    code = "passkey_not_found"
    message = "You have no such passkey; list yours with GET /v1/auth/me/passkeys."


class TooManyPasskeys(Conflict):
    """The caller has as many passkeys as one may."""

    code = "too_many_passkeys"
    message = "You have {limit} passkeys, which is the most; remove one first."


class TooManySavedViews(Conflict):
    """The caller has as many saved views as one may."""

    code = "too_many_saved_views"
    message = "You have {limit} saved views, which is the most; delete one first."


class SavedViewNotFound(NotFound):
    """The caller has no such saved view."""

    code = "saved_view_not_found"
    message = "You have no such saved view; list yours with GET /v1/auth/me/views."


class OrganisationExists(Conflict):
    """There is an organisation of this id."""

    code = "organisation_exists"
    message = "There is an organisation {org}; list them with GET /v1/auth/organisations."


class OrganisationNotFound(NotFound):
    """There is no such organisation."""

    code = "organisation_not_found"
    message = "There is no organisation {org}; make it with POST /v1/auth/organisations."


class TooManyApiKeys(Conflict):
    """The caller has as many API keys as one may."""

    code = "too_many_api_keys"
    message = "You have {limit} API keys in force, which is the most; revoke one with DELETE first."


class ScopeNotHeld(Forbidden):
    """A key was to have scopes that its owner lacks."""

    code = "scope_not_held"
    message = "You do not hold the scopes {scopes}; a key can have only what its owner has."


class WrongKeySecret(Unavailable):
    """The stored signing key cannot be decrypted with this secret."""

    code = "wrong_key_secret"
    message = (
        "KEY_ENCRYPTION_SECRET does not open the stored signing key {kid}; "
        "start with the secret that it was stored with"
    )


class OAuthError(Exception):
    """An error response of the token endpoint (RFC 6749 section 5.2)."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid_request"
    is_guess: ClassVar[bool] = False
    """Whether it counts as a failed authentication of the caller's address."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class InvalidTokenRequest(OAuthError):
    """A parameter is missing or given twice."""


class InvalidClient(OAuthError):
    """Neither certificate nor secret authenticates a service, or no such client is registered."""

    status = 401
    code = "invalid_client"
    is_guess = True


class InvalidGrant(OAuthError):
    """The caller may not ask for this audience, or its code or refresh token does not hold."""

    code = "invalid_grant"
    is_guess = True


class InvalidScope(OAuthError):
    """The caller asks for more than it is granted."""

    code = "invalid_scope"


class UnsupportedGrantType(OAuthError):
    """The endpoint does not know this grant type."""

    code = "unsupported_grant_type"
