"""Forged claims, of user and service tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.security.forge import b64, text_of
from tests.security.forgeries.forgery import Forgery


def _claims(**changes: Any) -> Forgery:
    return lambda forge: forge.signed(forge.fresh(**changes))


def _service(**changes: Any) -> Forgery:
    return lambda forge: forge.signed(forge.fresh_service(**changes))


def _raw_claims(change: Callable[[str], str]) -> Forgery:
    return lambda forge: forge.signed(change(text_of(forge.fresh()).decode()).encode())


def _member(text: str) -> Forgery:
    return _raw_claims(lambda claims: f"{claims[:-1]},{text}}}")


CLAIMS: dict[str, Forgery] = {
    "expired an hour ago": lambda forge: forge.signed(forge.fresh(iat=forge.at(-4500), exp=forge.at(-3600))),
    "expired ten seconds ago": lambda forge: forge.signed(forge.fresh(iat=forge.at(-910), exp=forge.at(-10))),
    "no exp": _claims(exp=None),
    "exp a text": _claims(exp="9999999999"),
    "exp a fraction": _claims(exp=9_999_999_999.5),
    "exp true": _claims(exp=True),
    "exp zero": _claims(exp=0),
    "exp negative": _claims(exp=-1),
    "exp infinite": _raw_claims(lambda claims: claims.replace('"exp":', '"exp":1e999,"was":')),
    "exp NaN": _raw_claims(lambda claims: claims.replace('"exp":', '"exp":NaN,"was":')),
    "exp a list": _claims(exp=[9_999_999_999]),
    "exp before iat": lambda forge: forge.signed(forge.fresh(iat=forge.at(0), exp=forge.at(-2))),
    "exp in a hundred years": lambda forge: forge.signed(forge.fresh(exp=forge.at(3_155_760_000))),
    "exp in milliseconds": lambda forge: forge.signed(forge.fresh(exp=forge.at(0) * 1000)),
    "no iat": _claims(iat=None),
    "iat in an hour": lambda forge: forge.signed(forge.fresh(iat=forge.at(3600), exp=forge.at(4500))),
    "iat a text": _claims(iat="0"),
    "nbf in an hour": lambda forge: forge.signed(forge.fresh(nbf=forge.at(3600))),
    "nbf a text": _claims(nbf="0"),
    "nbf true": _claims(nbf=True),
    "no iss": _claims(iss=None),
    "iss of another": _claims(iss="https://evil.example"),
    "iss with a slash behind": _claims(iss="https://auth.castor/"),
    "iss without its scheme": _claims(iss="auth.castor"),
    "iss a list that holds ours": _claims(iss=["https://auth.castor"]),
    "iss in upper case": _claims(iss="HTTPS://AUTH.CASTOR"),
    "no aud": _claims(aud=None),
    "aud of another platform": _claims(aud="pollux"),
    "aud a list that holds ours": _claims(aud=["pollux", "castor"]),
    "aud empty": _claims(aud=""),
    "aud an object": _claims(aud={"castor": True}),
    "aud a wildcard": _claims(aud="*"),
    "aud with a space behind": _claims(aud="castor "),
    "no jti": _claims(jti=None),
    "jti empty": _claims(jti=""),
    "no sub": _claims(sub=None),
    "sub empty": _claims(sub=""),
    "sub a number": _claims(sub=1),
    "sub a list": _claims(sub=["admin"]),
    "no scope": _claims(scope=None),
    "scope a list": _claims(scope=["account:manage", "sentiment:analyze"]),
    "roles of the wrong type": _claims(roles=[{"name": "admin"}]),
    "roles a number": _claims(roles=7),
    "no token_use": _claims(token_use=None),
    "token_use refresh": _claims(token_use="refresh"),
    "token_use api_key": _claims(token_use="api_key"),
    "token_use a list": _claims(token_use=["user"]),
    "type of the predecessor's refresh tokens": lambda forge: forge.signed(
        {**forge.fresh(token_use=None), "type": "refresh", "fresh": False}
    ),
    "bound to a certificate that is not the caller's": _claims(cnf={"x5t#S256": b64(b"\x07" * 32)}),
    "bound by a key that we cannot check (jkt)": _claims(cnf={"jkt": b64(b"\x07" * 32)}),
    "cnf that is no object": _claims(cnf="x5t#S256"),
    "exp twice": _member('"exp":9999999999'),
    "scope twice": _member('"scope":"users:admin"'),
    "sub twice": _member('"sub":"00000000-0000-0000-0000-000000000001"'),
    "aud twice": _raw_claims(lambda claims: '{"aud":"pollux",' + claims[1:]),
    "iss twice, once escaped": _raw_claims(lambda claims: '{"\\u0069ss":"https://evil.example",' + claims[1:]),
    "duplicate member deep inside": _member('"extra":{"a":1,"a":2}'),
    "payload a list": lambda forge: forge.signed(text_of([forge.fresh()])),
    "payload a text": lambda forge: forge.signed(b'"admin"'),
    "payload null": lambda forge: forge.signed(b"null"),
    "payload empty": lambda forge: forge.signed(b""),
    "payload no JSON": lambda forge: forge.signed(b"sub=admin&exp=9999999999"),
    "payload not UTF-8": lambda forge: forge.signed(b'{"sub":"\xff\xfe"}'),
    "payload in single quotes": _raw_claims(lambda claims: claims.replace('"', "'")),
    "payload with a comment": _raw_claims(lambda claims: claims + "// signed"),
    "payload twice": _raw_claims(lambda claims: claims * 2),
    "payload nested too deep": lambda forge: forge.signed(b'{"a":' * 900 + b"1" + b"}" * 900),
    "payload with a null character in sub": _claims(sub="\x00"),
}


SERVICE_TOKENS: dict[str, Forgery] = {
    "service token bound to another certificate": _service(cnf={"x5t#S256": b64(b"\x07" * 32)}),
    "service token bound to nothing": _service(cnf=None),
    "service token bound to an empty thumbprint": _service(cnf={"x5t#S256": ""}),
    "service token bound by SHA-1": lambda forge: forge.signed(
        forge.fresh_service(cnf={"x5t": forge.service["cnf"]["x5t#S256"]})
    ),
    "service token bound to a list that holds the thumbprint": lambda forge: forge.signed(
        forge.fresh_service(cnf={"x5t#S256": [forge.service["cnf"]["x5t#S256"]]})
    ),
    "service token with cnf a text": lambda forge: forge.signed(
        forge.fresh_service(cnf=forge.service["cnf"]["x5t#S256"])
    ),
    "service token for another audience": _service(aud="rag-service"),
    "service token for every audience": _service(aud="castor"),
    "service token without audience": _service(aud=None),
    "user token that calls itself a service's": lambda forge: forge.signed(forge.fresh(token_use="service")),
    "service token that calls itself a user's": _service(token_use="user"),
    "service token expired": lambda forge: forge.signed(forge.fresh_service(exp=forge.at(-10), iat=forge.at(-310))),
}
