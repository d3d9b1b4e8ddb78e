"""Credentials of another kind, and texts that are no token."""

from __future__ import annotations

import base64
import json

from tests.security.forge import Forge, b64
from tests.security.forgeries.forgery import CLASSIC, Forgery

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


def _padded(forge: Forge) -> str:
    head, rest = forge.signed().split(".", 1)
    return f"{head}{'=' * (-len(head) % 4) or '===='}.{rest}"


def _classic_payload(forge: Forge) -> str:
    while True:
        head, payload, signature = forge.signed(forge.fresh(note="¿ÿþ?>~~")).split(".")
        if payload.translate(CLASSIC) != payload:
            return f"{head}.{payload.translate(CLASSIC)}.{signature}"
