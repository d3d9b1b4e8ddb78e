"""Settings that contradict each other are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from castor_chassis import HeaderSecret, ServiceSettings, reveal


class Settings(ServiceSettings):
    """Settings with a key that is sent in a header."""

    api_key: HeaderSecret | None = None


def test_settings_check_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contradicting timeouts and half a TLS identity are refused with what to do."""
    monkeypatch.setenv("PEER_ATTEMPT_TIMEOUT_SECONDS", "40")
    with pytest.raises(ValidationError, match="lower the first or raise the second"):
        ServiceSettings()
    monkeypatch.setenv("PEER_ATTEMPT_TIMEOUT_SECONDS", "4")
    monkeypatch.setenv("TLS_CERT_FILE", "/x.crt")
    with pytest.raises(ValidationError, match="set all three or none"):
        ServiceSettings()


@pytest.mark.parametrize("around", ["{}\n", " {}\r\n", "{}\t"])
def test_line_ends_around_keys_and_addresses_are_dropped(monkeypatch: pytest.MonkeyPatch, around: str) -> None:
    """A key or an address that was read from a file works: what came along with it is dropped."""
    monkeypatch.setenv("API_KEY", around.format("sk-trial-key"))
    monkeypatch.setenv("AUTH_URL", around.format("https://auth:8443"))
    settings = Settings()
    assert (reveal(settings.api_key), settings.auth_url) == ("sk-trial-key", "https://auth:8443")


@pytest.mark.parametrize(
    ("name", "value"),
    [("API_KEY", "sk trial"), ("API_KEY", "sk\nX-Evil: 1"), ("API_KEY", "clavé"), ("API_KEY", " "),
     ("AUTH_URL", "auth:8443"), ("AUTH_URL", "https://"), ("AUTH_URL", "https://a b"), ("AUTH_URL", "ftp://a")],
)  # fmt: skip
def test_what_would_fail_at_its_first_use_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A key that no header can hold, or an address that is none, ends the start; only the setting is named."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert name.lower() in str(raised.value)
    assert "input_value" not in str(raised.value)
