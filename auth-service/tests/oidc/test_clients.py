"""The client of our own console."""

from __future__ import annotations

from auth_service.oidc.clients import console_client


def test_the_console_may_sign_in_at_the_public_address() -> None:
    """Without a setting it is the page that the ingress serves there; a setting replaces it."""
    assert console_client("", "https://castor.example.org/auth").redirect_uris == ("https://castor.example.org/",)
    assert console_client("https://a.example/in https://b.example/", "https://a.example").redirect_uris == (
        "https://a.example/in",
        "https://b.example/",
    )
