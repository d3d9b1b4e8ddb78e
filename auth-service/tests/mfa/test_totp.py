"""Time-based one-time passwords."""

from __future__ import annotations

import pytest

from auth_service.mfa.totp import code_at, matching_step

RFC_KEY = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
        (2000000000, "279037"), (20000000000, "353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """The six last digits of the test vectors of appendix B, and the step that each belongs to."""
    assert code_at(RFC_KEY, seconds // 30) == code
    assert matching_step(RFC_KEY, code, seconds) == seconds // 30
    assert matching_step(RFC_KEY, code, seconds + 30) == seconds // 30
    assert matching_step(RFC_KEY, code, seconds + 60) is None
    assert matching_step(RFC_KEY, code, seconds - 30) is None
