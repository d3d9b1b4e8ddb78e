"""Issues what is missing or near its end: the development authority, an identity per name, the ingress's public one.

``certificates.py FOLDER NAME...`` gives each name a folder that holds what one container may see. Run as root it hands
the folders to the user of the images; the authority's key stays root's.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from castor_devstack.stack.pki import Authority, Names

USER = 10001


def main(root: Path, names: list[str]) -> None:
    """Issue, and hand over."""
    leaves = [(name, Names.service(name)) for name in names] + [("public", Names.public_server())]
    renewed = Authority(root).ensure(leaves)
    for name, _ in leaves:
        shutil.copy(root / "ca.pem", root / name / "ca.pem")
        if os.geteuid() == 0:
            _give(root / name)
    print("issued:", ", ".join(renewed) or "nothing, all are good")


def _give(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, USER, USER, follow_symlinks=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
