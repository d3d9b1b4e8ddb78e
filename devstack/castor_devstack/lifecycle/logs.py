"""`castor logs`: the log file of one part."""

from __future__ import annotations

import time
from pathlib import Path

from castor_devstack.errors import DevstackError
from castor_devstack.supervision.atomic_files import last_lines
from castor_devstack.supervision.supervisor import PrintLine


def follow_log(path: Path, count: int, *, follow: bool, write: PrintLine) -> None:
    """Write the last ``count`` lines of a log; with ``follow``, then every new line until interrupted."""
    if not path.exists():
        raise DevstackError(f"There is no log yet at {path}; start CASTOR with `castor up`.")
    position = path.stat().st_size
    for line in last_lines(path, count):
        write(line)
    while follow:
        time.sleep(0.2)
        size = path.stat().st_size
        position = 0 if size < position else position
        with path.open("rb") as file:
            file.seek(position)
            text = file.read(size - position)
        whole = text[: text.rfind(b"\n") + 1]
        position += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            write(line)
