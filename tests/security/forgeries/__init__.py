"""Every forgery by name: signatures, algorithms, headers, claims, credentials of another kind, and plain nonsense."""

from __future__ import annotations

from tests.security.forgeries.claims import CLAIMS, SERVICE_TOKENS
from tests.security.forgeries.credentials import MALFORMED, OTHER_CREDENTIALS
from tests.security.forgeries.forgery import Forgery
from tests.security.forgeries.headers import HEADERS
from tests.security.forgeries.signatures import ALGORITHMS, SIGNATURES

FORGERIES: dict[str, Forgery] = {
    **ALGORITHMS, **SIGNATURES, **HEADERS, **CLAIMS, **SERVICE_TOKENS, **OTHER_CREDENTIALS, **MALFORMED,
}  # fmt: skip
