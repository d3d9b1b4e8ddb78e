"""Documents and configuration name only files, headings, tests and modules that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = tuple(
    subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
)
DOCUMENTS = tuple(file for file in TRACKED if file.endswith(".md") and "/prompts/" not in file)
# Other files whose comments and values name files: settings of tools, workflows, charts, compose.
CONFIGURATION = tuple(
    file
    for file in TRACKED
    if file.endswith((".toml", ".yaml", ".yml", "Makefile", "Dockerfile", "Tiltfile", "Caddyfile"))
    and not file.startswith(("tests/charts/rendered/", "contracts/"))
)
TOP_FOLDERS = frozenset(file.split("/")[0] for file in TRACKED)
PACKAGES = frozenset(file.split("/")[1] for file in TRACKED if file.count("/") == 2 and file.endswith("/__init__.py"))

LINK = re.compile(r"\]\(([^)\s]+)\)")
# A path with a folder, or the bare name of a source file; not one with a placeholder in it.
START, END = r"(?<![\w/.:<>~*{}$-])", r"(?![\w*<{-])"
FILE = re.compile(
    START
    + r"((?:[\w.-]+/)+[\w-][\w.-]*\.(?:py|md|ya?ml|jsonl?|toml|sql|txt|[ct]sv)|[\w-]+\.(?:py|sql|toml|ya?ml|md))"
    + END
)
FOLDER = re.compile(r"`((?:[\w-]+/)+)`")
TEST = re.compile(r"`([\w./-]+\.py)::(\w+)`")
MODULE = re.compile(r"python3? -m ([a-z_]\w*(?:\.\w+)*)")
PLACEHOLDER = re.compile(r"(migrations/)?NNNN_\w+\.sql|my-cluster\.yaml|path/to/test\.py")


def headings(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


def exists(document: str, name: str) -> bool:
    """Return whether a document may say ``name``: a path from the root or from its folder, or the end of a path.

    In the documents of a service the end of a path is one of its own, unless it begins with a package
    (``castor_chassis/settings.py``).
    """
    if any((folder / name).exists() for folder in (ROOT, (ROOT / document).parent)):
        return True
    top = document.split("/")[0]
    whole_tree = not top.endswith("-service") or name.split("/")[0] in PACKAGES
    return any(f"/{name}" in f"/{file}/" for file in TRACKED if whole_tree or file.startswith(f"{top}/"))


def module_exists(name: str) -> bool:
    """Return whether ``python -m name`` would find a module of this repository, or one that is not ours."""
    package, *rest = name.split(".")
    homes = [ROOT, *(ROOT / folder for folder in TOP_FOLDERS)]
    ours = [home / package for home in homes if (home / package / "__init__.py").exists()]
    return not ours or any(
        (base.joinpath(*rest).with_suffix(".py") if rest else base / "__main__.py").exists()
        or (base.joinpath(*rest) / "__main__.py").exists()
        for base in ours
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    """The target of a relative link exists, and so does the heading that it names."""
    page = ROOT / document
    for target in LINK.findall(page.read_text()):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


@pytest.mark.parametrize("document", DOCUMENTS + CONFIGURATION)
def test_every_file_that_is_named_exists(document: str) -> None:
    """A path such as ``api/texts.py`` is that of a tracked file, and a folder in code quotes one of the tree."""
    text = re.sub(r"\w+://\S+", "", (ROOT / document).read_text())
    named = {*FILE.findall(text), *FOLDER.findall(text)}
    assert [name for name in sorted(named) if not PLACEHOLDER.fullmatch(name) and not exists(document, name)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_named_exists(document: str) -> None:
    """``path/test_x.py::test_y`` is a function of that file, from the root or from the folder of the document."""
    named = TEST.findall((ROOT / document).read_text())
    folders = (ROOT, (ROOT / document).parent)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not any(f"def {name}(" in (folder / file).read_text() for folder in folders if (folder / file).exists())
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_is_run_exists(document: str) -> None:
    """``python -m package.module`` can be run."""
    assert [name for name in MODULE.findall((ROOT / document).read_text()) if not module_exists(name)] == []


def test_every_tool_is_described() -> None:
    """``tools/README.md`` has a row for each tool."""
    tools = {file.split("/")[1] for file in TRACKED if file.startswith("tools/")} - {"__init__.py", "README.md"}
    text = (ROOT / "tools" / "README.md").read_text()
    assert [tool for tool in sorted(tools) if f"| [`{tool}" not in text] == []


def test_the_handbooks_name_proofs() -> None:
    """The pages whose claims are held by tests name many, so that the pattern that finds them is seen to work."""
    pages = [ROOT / "docs" / name for name in ("architecture.md", "security/threat-model.md", "security/asvs.md")]
    assert min(len(TEST.findall(page.read_text())) for page in pages) > 10


@pytest.mark.parametrize(
    "package", sorted(name for name in PACKAGES if name.startswith("castor_") or name.endswith("_service"))
)
def test_every_room_is_described(package: str) -> None:
    """The section 'Rooms' of a README names every package of its service, the chassis or the devstack."""
    folder = next(file.split("/")[0] for file in TRACKED if file.endswith(f"/{package}/__init__.py"))
    readme = (ROOT / folder / "README.md").read_text()
    section = readme[readme.index("\n## Rooms\n") :].split("\n## ")[1]
    start = f"{folder}/{package}/"
    rooms = {file.removeprefix(start).split("/")[0] for file in TRACKED if file.startswith(start)}
    packages = {room for room in rooms if f"{start}{room}/__init__.py" in TRACKED}
    assert [room for room in sorted(packages) if f"{room}/" not in section] == []
