"""The service that the chassis's tests run; alone: ``python -m small_service``."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from castor_chassis.testing import RunningService, TokenIssuer

Running = Callable[..., AbstractAsyncContextManager[RunningService]]


def bearer(issuer: TokenIssuer, *scopes: str) -> dict[str, str]:
    """Return the header with a user's token that has ``scopes``."""
    return {"Authorization": f"Bearer {issuer.user_token(scopes)}"}
