"""The built console is that of the checkout's sources; checked without Node."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import yaml

from console_service import SITE
from tools.contracts.public import public_contracts

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "console"
SOURCES = (
    "docs", "index.html", "package-lock.json", "public", "src", "svelte.config.js", "tsconfig.json", "vite.config.ts",
)  # fmt: skip
MOST_BYTES = 300_000


def digest_of_sources() -> str:
    """Return what scripts/stamp.mjs writes."""
    found = [path for name in SOURCES for path in ([CONSOLE / name, *(CONSOLE / name).rglob("*")]) if path.is_file()]
    names = {path.relative_to(CONSOLE).as_posix(): path for path in found}
    taken = sorted(name for name in names if not name.startswith("src/api/") and not name.endswith(".test.ts"))
    lines = (f"{name}\n{hashlib.sha256(names[name].read_bytes()).hexdigest()}\n" for name in taken)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_built_files_are_those_of_the_sources() -> None:
    """`npm run build` was run after the last change; CI builds again and compares every byte."""
    assert json.loads((SITE / "build.json").read_text())["sources"] == digest_of_sources()


def test_every_call_is_in_the_contracts() -> None:
    """Each operation that the console calls exists in the contract of the service that it calls."""
    calls = {
        call
        for path in (CONSOLE / "src").rglob("*")
        if path.suffix in {".ts", ".svelte"} and "api" not in path.relative_to(CONSOLE / "src").parts
        for call in re.findall(r'(\w+)\s*\.(GET|POST|PUT|PATCH|DELETE)\(\s*"([^"]+)"', path.read_text())
    }
    assert len(calls) > 5
    services = {service for service, _, _ in calls}
    files = {service: (ROOT / "contracts" / f"{service}-service.v1.yaml").read_text() for service in services}
    paths = {service: yaml.load(text, Loader=yaml.CSafeLoader)["paths"] for service, text in files.items()}
    for service, method, path in calls:
        assert method.lower() in paths[service].get(path, {}), f"{method} {path} is not in the contract of {service}"


def test_integrators_get_the_public_paths_of_the_contracts() -> None:
    """`make contracts` was run: /openapi has today's contracts, without the paths between services."""
    given = {path.name: path.read_text() for path in (SITE / "openapi").iterdir()}
    assert given == public_contracts()
    assert len(given) == 7
    assert not any("/internal/" in yaml.safe_load(text)["paths"] for text in given.values())


def test_no_code_turns_text_into_html() -> None:
    """Strangers' text is shown as text: no source writes HTML, and the page runs no inline script or style."""
    for path in (CONSOLE / "src").rglob("*.svelte"):
        assert not re.search(r"\{@html|innerHTML|\sstyle=\"", path.read_text()), path
    page = (SITE / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=", page)


def test_the_first_page_is_light() -> None:
    """All scripts, styles and fonts of the console together stay below 300 KB compressed."""
    files = [path for path in (SITE / "assets").iterdir() if path.suffix in {".js", ".css", ".woff2"}]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= MOST_BYTES


def test_every_refusal_of_a_file_has_a_sentence() -> None:
    """Whoever uploads a file that cannot be read is told why in their language."""
    errors = (ROOT / "twitter-service" / "twitter_service" / "errors.py").read_text()
    sentences = (CONSOLE / "src" / "lib" / "errors.ts").read_text()
    codes = set(re.findall(r'code = "(import_\w+|budget_\w+|too_many_entities|entity_exists)"', errors))
    assert len(codes) > 10
    assert {code for code in codes if f"  {code}: " not in sentences} <= {"import_not_found"}
