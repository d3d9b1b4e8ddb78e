"""The state folder: all files of the devstack of one checkout."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from castor_devstack.errors import DevstackError
from castor_devstack.supervision.atomic_files import write_atomic


@dataclass(frozen=True)
class StateFolder:
    """Paths inside one state folder; only ``create`` makes folders."""

    root: Path

    @property
    def state_file(self) -> Path:
        """What runs and where; only the supervisor writes it."""
        return self.root / "state.json"

    @property
    def secrets_file(self) -> Path:
        """Generated passwords, mode 0600."""
        return self.root / "secrets.json"

    @property
    def lock_file(self) -> Path:
        """Locked by the supervisor while it runs."""
        return self.root / "lock"

    @property
    def pki(self) -> Path:
        """The development certificate authority and all certificates."""
        return self.root / "pki"

    @property
    def authority_file(self) -> Path:
        """The PEM bundle that clients of the ingress trust."""
        return self.pki / "ca.pem"

    def folder(self, part: str) -> Path:
        """Return the private folder of a part."""
        return self.root / part

    def log(self, part: str) -> Path:
        """Return the log file of a part."""
        return self.root / "logs" / f"{part}.log"

    def instance(self) -> str:
        """Return the random id that this folder got when it was created."""
        return (self.root / "instance").read_text().strip()

    def create(self) -> None:
        """Create the folders; raises ``DevstackError`` when this user may not write there."""
        try:
            # PostgreSQL's own user must pass through, so others may traverse the folder but not list it.
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711)
            for name in ("logs", "pki", "valkey", "ingress"):
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
            if not (self.root / "instance").exists():
                write_atomic(self.root / "instance", secrets.token_hex(8))
        except OSError as error:
            raise DevstackError(
                f"The state folder {self.root} cannot be written ({error.strerror}); "
                "run as the user who owns it, or set CASTOR_HOME to another folder."
            ) from error


def checkout_root(start: Path | None = None) -> Path | None:
    """Return the checkout this code runs from, else the one around ``start`` (the current folder)."""
    around = (start or Path.cwd()).resolve()
    for folder in (*Path(__file__).resolve().parents, around, *around.parents):
        if (folder / "devstack" / "castor_devstack").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    return None


def find_state_folder() -> StateFolder:
    """Return the state folder: CASTOR_HOME, else ``.castor`` in the checkout."""
    given = os.environ.get("CASTOR_HOME")
    if given:
        return StateFolder(Path(given).expanduser().resolve())
    root = checkout_root()
    if root is None:
        raise DevstackError(
            "This is no CASTOR checkout; change into one, or set CASTOR_HOME to a folder for the state.",
            exit_code=2,
        )
    return StateFolder(root / ".castor")
