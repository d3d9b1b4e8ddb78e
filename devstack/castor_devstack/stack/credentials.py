"""Generated passwords of the devstack, stored in one file that only its owner can read."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from castor_devstack.errors import DevstackError
from castor_devstack.supervision.atomic_files import write_atomic

ADMIN_EMAIL = "admin@castor.example"


def new_password() -> str:
    """Return 192 random bits as URL-safe text, with a letter of each class that a password policy may require."""
    return f"Aa1-{secrets.token_urlsafe(24)}"


class Credentials:
    """The generated secrets of one state folder."""

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        self._path = path
        self._values = values

    @classmethod
    def load(cls, path: Path) -> Credentials:
        """Read the file, or start an empty one; raises ``DevstackError`` when it is damaged."""
        return cls(path, _read(path))

    def get(self, name: str) -> str:
        """Return the secret of this name; it is generated on first use."""
        if name not in self._values:
            self._store(name, new_password())
        return str(self._values[name])

    def recall(self, group: str, name: str) -> str | None:
        """Return what was stored under this name, or None."""
        stored: dict[str, str] = self._values.get(group, {})
        return stored.get(name)

    def remember(self, group: str, name: str, value: str) -> None:
        """Store a secret that was made elsewhere, for example the password of a registered user."""
        self._store(group, {**_read(self._path).get(group, {}), name: value})

    def _store(self, name: str, value: Any) -> None:
        # Read again: another command may have added a secret meanwhile.
        self._values = {**_read(self._path), name: value}
        write_atomic(self._path, json.dumps(self._values, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DevstackError(f"{path} cannot be read ({error}); restore it or remove it.") from error
    return dict(values)
