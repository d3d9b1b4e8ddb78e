"""Write the contracts as integrators get them: without what services have among themselves.

python -m tools.contracts.public     # contracts/*.v1.yaml -> console/console_service/site/openapi/*.yaml
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "console" / "console_service" / "site" / "openapi"


def public_contracts() -> dict[str, str]:
    """Return each file's text by its name, such as ``rag-service.yaml``."""
    files = sorted((ROOT / "contracts").glob("*.v1.yaml"))
    return {path.name.replace(".v1.yaml", ".yaml"): _public(path.read_text()) for path in files}


def _public(text: str) -> str:
    contract: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    contract["paths"] = {path: item for path, item in contract["paths"].items() if not path.startswith("/internal")}
    return yaml.dump(contract, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)


def main() -> None:
    """Write the files that differ."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in public_contracts().items():
        (TARGET / name).write_text(text)


if __name__ == "__main__":
    main()
