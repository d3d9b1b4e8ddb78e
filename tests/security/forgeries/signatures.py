"""Forged algorithms and signatures."""

from __future__ import annotations

import base64
from collections.abc import Callable

from tests.security.forge import Forge, b64, text_of
from tests.security.forgeries.forgery import CLASSIC, Forgery, header_with


def _signature(text: str) -> Forgery:
    return lambda forge: ".".join([*forge.parts()[:2], text])


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
    "alg in lower case over an honest signature": header_with(alg="rs256"),
    "alg RS512 over an RS256 signature": header_with(alg="RS512"),
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
    "signature in the classic alphabet": lambda forge: _respelled(forge, lambda s: s.translate(CLASSIC) + "+/"),
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
