"""What the one secret protects."""

from __future__ import annotations

import pytest

from auth_service.crypto.vault import Vault
from auth_service.errors import WrongKeySecret

PEM = b"-----BEGIN PRIVATE KEY-----\nnot really\n-----END PRIVATE KEY-----\n"


def test_sealed_key_opens_with_its_secret_and_kid_only() -> None:
    """What was sealed comes back; another secret, another kid or a changed byte opens nothing."""
    vault = Vault("one secret of sufficient length....")
    sealed = vault.seal("k1", PEM)
    assert vault.unseal("k1", sealed) == PEM
    assert PEM not in sealed
    assert vault.seal("k1", PEM) != sealed
    for opener, kid, text in (
        (Vault("another secret of the same length.."), "k1", sealed),
        (vault, "k2", sealed),
        (vault, "k1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (vault, "k1", b""),
    ):
        with pytest.raises(WrongKeySecret, match="KEY_ENCRYPTION_SECRET does not open"):
            opener.unseal(kid, text)


def test_successors_are_stable_and_differ_by_secret() -> None:
    """The successor of a refresh token is always the same, and unknown without the secret."""
    vault, other = Vault("one secret of sufficient length...."), Vault("another secret of the same length..")
    assert vault.successor("token") == vault.successor("token")
    assert len({vault.successor("token"), vault.successor("nekot"), other.successor("token")}) == 3


def test_an_older_secret_opens_and_the_present_one_seals() -> None:
    """What was sealed before a rotation is opened after it, by whichever secret did it; others open nothing."""
    first, second, third = ("first secret " * 3, "second secret " * 3, "third secret " * 3)
    alone, ring = Vault(first), Vault(second, [first])
    for vault in (alone, ring):
        assert ring.unseal("k1", vault.seal("k1", PEM)) == PEM
        assert ring.unseal_text("p", vault.seal_text("p", "text")) == "text"
    new = ring.seal("k1", PEM)
    assert (ring.is_sealed_with_present(new), ring.is_sealed_with_present(alone.seal("k1", PEM))) == (True, False)
    assert Vault(second).unseal("k1", new) == PEM
    for stranger in (Vault(third, [first]), alone):
        with pytest.raises(WrongKeySecret):
            stranger.unseal("k1", new)
    assert ring.is_audit_seal("t", alone.audit_seal("t"))
    assert not alone.is_audit_seal("t", ring.audit_seal("t"))


def test_a_secret_alone_seals_as_the_version_before() -> None:
    """During a roll-out replicas that know no names of secrets open what a new replica sealed."""
    assert Vault("one secret of sufficient length....").seal("k1", PEM)[0] == 1
