"""Settings that contradict each other are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from castor_chassis import (
    ServiceSettings,
)


def test_settings_check_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contradicting timeouts and half a TLS identity are refused with what to do."""
    monkeypatch.setenv("PEER_ATTEMPT_TIMEOUT_SECONDS", "40")
    with pytest.raises(ValidationError, match="lower the first or raise the second"):
        ServiceSettings()
    monkeypatch.setenv("PEER_ATTEMPT_TIMEOUT_SECONDS", "4")
    monkeypatch.setenv("TLS_CERT_FILE", "/x.crt")
    with pytest.raises(ValidationError, match="set all three or none"):
        ServiceSettings()
