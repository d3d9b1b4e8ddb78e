"""The generated secrets of a state folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.stack.credentials import Credentials
from castor_devstack.supervision.state_folder import StateFolder


@pytest.fixture
def state_folder(tmp_path: Path) -> StateFolder:
    """A new state folder."""
    state_folder = StateFolder(tmp_path / "state")
    state_folder.create()
    return state_folder


def test_secrets_are_made_once_and_kept_private(state_folder: StateFolder) -> None:
    """A secret stays the same over restarts, the file is its owner's alone, and two commands do not lose secrets."""
    first, second = Credentials.load(state_folder.secrets_file), Credentials.load(state_folder.secrets_file)
    password = first.get("postgres")
    second.remember("users", "ana@example.org", "hers")
    first.remember("users", "eva@example.org", "hers, too")
    again = Credentials.load(state_folder.secrets_file)
    assert again.get("postgres") == password
    assert again.recall("users", "ana@example.org") == "hers"
    assert again.recall("users", "eva@example.org") == "hers, too"
    assert state_folder.secrets_file.stat().st_mode & 0o077 == 0


def test_a_damaged_secrets_file_is_reported(state_folder: StateFolder) -> None:
    """Nothing is generated over a file that cannot be read."""
    state_folder.secrets_file.write_text("{")
    with pytest.raises(DevstackError, match="restore it or remove it"):
        Credentials.load(state_folder.secrets_file)
