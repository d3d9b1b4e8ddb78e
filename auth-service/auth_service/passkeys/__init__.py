"""Passkeys (WebAuthn level 3): registered, listed, renamed and removed by their owner; login and step-up by them."""
