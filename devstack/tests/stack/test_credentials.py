"""The generated secrets of a state folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.stack.credentials import Credentials
from castor_devstack.supervision.state_folder import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new state folder."""
    home = Home(tmp_path / "state")
    home.create()
    return home


def test_secrets_are_made_once_and_kept_private(home: Home) -> None:
    """A secret stays the same over restarts, the file is its owner's alone, and two commands do not lose secrets."""
    first, second = Credentials.load(home.secrets_file), Credentials.load(home.secrets_file)
    password = first.get("postgres")
    second.keep("users", "ana@example.org", "hers")
    first.keep("users", "eva@example.org", "hers, too")
    again = Credentials.load(home.secrets_file)
    assert again.get("postgres") == password
    assert again.recall("users", "ana@example.org") == "hers"
    assert again.recall("users", "eva@example.org") == "hers, too"
    assert home.secrets_file.stat().st_mode & 0o077 == 0


def test_a_damaged_secrets_file_is_said_so(home: Home) -> None:
    """Nothing is generated over a file that cannot be read."""
    home.secrets_file.write_text("{")
    with pytest.raises(DevstackError, match="restore it or remove it"):
        Credentials.load(home.secrets_file)
