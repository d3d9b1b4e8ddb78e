"""Errors of service accounts; their docstrings are descriptions in the contract."""

from __future__ import annotations

from castor_chassis import Conflict, Forbidden, Invalid, NotFound


class ServiceAccountNotFound(NotFound):
    """There is no such service account, or it belongs to another organisation."""

    code = "service_account_not_found"
    message = "There is no service account {account_id}; list them with GET /v1/auth/service-accounts."


class CredentialNotFound(NotFound):
    """The service account has no such credential in force."""

    code = "credential_not_found"
    message = "The service account has no credential {credential_id} in force; GET it to see those that it has."


class ScopeNotGrantable(Forbidden):
    """A service account was to have scopes that its owner lacks, or that are for people only."""

    code = "scope_not_grantable"
    message = "The owner does not hold the scopes {scopes}, or they are for people in person; leave them out."


class TooManyServiceAccounts(Conflict):
    """The organisation has as many service accounts as one may."""

    code = "too_many_service_accounts"
    message = "The organisation has {limit} service accounts, which is the most; delete one first."


class TooManyCredentials(Conflict):
    """The service account has as many credentials as one may."""

    code = "too_many_credentials"
    message = "The service account has {limit} credentials in force, which is the most; revoke one first."


class PublicKeyRefused(Invalid):
    """The public key of a service account cannot be used; the sentence says why."""

    code = "public_key_refused"
    message = "{reason}; register the public half of an RSA key pair, or of an EC key pair on P-256."
