"""What a change makes CI build and test.

    python tools/changed.py --base origin/main            # as GitHub outputs: name=JSON lines
    python tools/changed.py --table                       # ten examples
    git diff --name-only main | python tools/changed.py   # the plan for these paths

Standard library only: it runs before anything is installed. What it does not know rebuilds everything.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Edges = Mapping[str, frozenset[str]]
"""Per service the services that it calls."""

DOCUMENTS = ("*.md", "docs/*", "LICENSE", "NOTICE", "*.gitignore")
PACKAGES = ("*-service/*_service/*", "console/console_service/*", "*/castor_*/*")
"""What runs, whatever its name ends with: prompts are Markdown."""
# The job `lint` also checks the references in documents (tests/docs).
NOTHING_BUT_LINT = (
    "bench/*", "*/training/*", "tests/docs/*", ".pre-commit-config.yaml", ".editorconfig", ".devcontainer/*",
    ".github/zizmor.yml",
)  # fmt: skip
TOOLS = ("tools/changed.py", ".ci/*", ".github/workflows/*", ".github/scripts/*")
EVERYTHING = ("uv.lock", "pyproject.toml", "Makefile", "conftest.py", *TOOLS)
IMAGES = ("Dockerfile", "*/Dockerfile", ".dockerignore", "tools/slim.py")
LOCAL = ("docker-compose*.yml", "Tiltfile", "charts/development/*", ".github/cluster-access.yaml")
OBSERVABILITY = ("charts/observability/*", "tools/*", "tests/observability/*", "tests/ci/*")
_OF_THE_PLATFORM = ("gateway", "trial")
"""Charts without an image of ours, beside observability."""
SYSTEM = ("tests/e2e/*", "tests/chaos/*", "tests/security/*", "tests/conftest.py", "schemathesis.toml")


@dataclass(frozen=True)
class Plan:
    """What CI does besides lint and types, which always run."""

    images: frozenset[str] = frozenset()
    """Services whose image is built, scanned and, on main, released."""
    suites: frozenset[str] = frozenset()
    """Rooms whose tests run: services, ``chassis``, ``devstack``."""
    charts: frozenset[str] = frozenset()
    """Charts that are rendered, checked and, on main, pushed."""
    contracts: bool = False
    """Drift, compatibility and consumers; what holds for the code of all services."""
    delivery: bool = False
    """Dockerfile, compose file, Tiltfile."""
    observability: bool = False
    """Rules, dashboards, the canary's analysis."""
    console: bool = False
    """The console's sources: types, own tests, and a build that must give the files of the checkout."""
    system: bool = False
    """The seven services together."""

    def __or__(self, other: Plan) -> Plan:
        """Return what both ask for."""
        pairs = {field.name: (getattr(self, field.name), getattr(other, field.name)) for field in fields(self)}
        return Plan(**{name: mine | theirs for name, (mine, theirs) in pairs.items()})


def edges_of(root: Path = ROOT) -> dict[str, frozenset[str]]:
    """Read who calls whom from ``clients/<peer>.py``; every service is a key."""
    found = {}
    for folder in sorted(root.glob("*-service")):
        clients = folder.glob(f"{folder.name.replace('-', '_')}/clients/*.py")
        found[folder.name] = frozenset(f"{c.stem}-service" for c in clients if c.stem != "__init__")
    return found


def everything(edges: Edges) -> Plan:
    """Return the plan that leaves nothing out."""
    services = frozenset(edges)
    suites = services | {"chassis", "console", "devstack"}
    images = services | {"console"}
    return Plan(images, suites, images | {"observability", *_OF_THE_PLATFORM}, True, True, True, True, True)


def consumers(service: str, edges: Edges) -> frozenset[str]:
    """Return who calls ``service``."""
    return frozenset(caller for caller, peers in edges.items() if service in peers)


def plan(paths: Iterable[str], edges: Edges) -> Plan:
    """Return what a change of ``paths`` needs."""
    whole = Plan()
    for path in paths:
        whole |= _of(path, edges)
    return whole


def _of(path: str, edges: Edges) -> Plan:
    if _is(path, DOCUMENTS) and not _is(path, PACKAGES):
        # The runbooks are linked from the alerts, and a test holds the links.
        return Plan(observability=path.startswith("docs/"))
    room, _, rest = path.partition("/")
    if _is(path, EVERYTHING):
        return everything(edges)
    if _is(path, NOTHING_BUT_LINT):
        return Plan()
    if room in edges:
        return _in_service(room, rest)
    if room == "chassis":
        return _in_chassis(rest, edges)
    if room == "console":
        return _in_console(rest)
    if room == "contracts":
        return _contract(rest, edges)
    return _elsewhere(path, edges)


def _in_service(service: str, rest: str) -> Plan:
    if rest.startswith("tests/"):
        return Plan(suites=frozenset({service}))
    # Its metrics stand in dashboards and rules, its settings in its chart and in the devstack's table.
    return Plan(
        images=frozenset({service}), suites=frozenset({service}), charts=frozenset({service}),
        contracts=True, observability=True, system=True,
    )  # fmt: skip


def _in_chassis(rest: str, edges: Edges) -> Plan:
    if rest.startswith("tests/"):
        # The canary's proof runs the small service that lives there.
        return Plan(suites=frozenset({"chassis"}), observability=True)
    return everything(edges)


def _in_console(rest: str) -> Plan:
    if rest.startswith("tests/"):
        return Plan(suites=frozenset({"console"}))
    one = frozenset({"console"})
    # Its sentences for refusals are compared with the services' errors.
    return Plan(images=one, suites=one, charts=one, contracts=True, console=True, delivery=True, system=True)


def _contract(rest: str, edges: Edges) -> Plan:
    service = rest.removeprefix("released/").removesuffix(".v1.yaml")
    if service not in edges:
        return everything(edges)
    touched = frozenset({service}) | consumers(service, edges)
    return Plan(touched, touched, touched, contracts=True, observability=True, console=True, system=True)


def _elsewhere(path: str, edges: Edges) -> Plan:
    services = frozenset(edges) | {"console"}
    if path.startswith(("tests/contract/", "tests/clients/")):
        return Plan(contracts=True, system=True)
    if path.startswith(("tests/architecture/", "tools/contracts/")):
        return Plan(contracts=True)
    if path.startswith(("charts/common/", "charts/castor/", "charts/values/", "charts/examples/", "tests/charts/")):
        return Plan(charts=services, delivery=True, observability=path.startswith("charts/common/"))
    chart = path.split("/")[1] if path.startswith("charts/") and path.count("/") > 1 else ""
    if chart in services:
        return Plan(charts=frozenset({chart}), delivery=True, observability=True)
    if chart in _OF_THE_PLATFORM:
        return Plan(charts=frozenset({chart}), delivery=True)
    if _is(path, IMAGES):
        return Plan(images=services, delivery=True)
    if _is(path, OBSERVABILITY):
        return Plan(charts=frozenset({"observability"}), observability=True)
    if _is(path, LOCAL) or path.startswith(("tests/delivery/", "tests/images/")):
        return Plan(delivery=True)
    if path.startswith("devstack/"):
        return Plan(suites=frozenset({"devstack"}), delivery=True, system=True)
    if _is(path, SYSTEM):
        return Plan(system=True)
    return everything(edges)


def _is(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def changed_paths(base: str) -> list[str]:
    """Return what differs between the merge base with ``base`` and the checkout, renamed files under both names."""
    command = ["git", "diff", "--name-only", "--no-renames", "-z", f"{base}...HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return [path for path in done.stdout.split("\0") if path]


def outputs(made: Plan) -> str:
    """Return one ``name=JSON`` line per field, as GitHub Actions reads outputs."""
    lines = []
    for field in fields(made):
        value = getattr(made, field.name)
        lines.append(f"{field.name}={json.dumps(sorted(value) if isinstance(value, frozenset) else value)}")
    return "\n".join(lines)


EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "a fix in a service": ("rag-service/rag_service/retrieval/service.py",),
    "a test of a service": ("rag-service/tests/retrieval/test_search.py",),
    "the chassis": ("chassis/castor_chassis/client/peer.py",),
    "a test of the chassis": ("chassis/tests/client/test_peer.py",),
    "a contract with three consumers": ("contracts/twitter-service.v1.yaml",),
    "a contract with one consumer": ("contracts/sentiment-service.v1.yaml",),
    "the library chart": ("charts/common/templates/_pod.tpl",),
    "an alert": ("charts/observability/files/rules/symptoms.yaml",),
    "docs only": ("README.md", "docs/adr/0002-the-pull-feed.md"),
    "the lock": ("uv.lock",),
}  # fmt: skip


def table(edges: Edges) -> str:
    """Return what CI would do for the examples, in Markdown."""
    lines = ["| what changed | images built | tests | charts | also |", "|---|---|---|---|---|"]
    for what, paths in EXAMPLES.items():
        made = plan(paths, edges)
        cells = (_names(group, edges) for group in (made.images, made.suites, made.charts))
        also = [name for name in ("contracts", "delivery", "observability", "console", "system") if getattr(made, name)]
        lines.append(f"| {what} | {' | '.join(cells)} | {', '.join(also) or 'lint and types only'} |")
    return "\n".join(lines)


def _names(group: frozenset[str], edges: Edges) -> str:
    short = sorted(name.removesuffix("-service") for name in group - frozenset(edges))
    if frozenset(edges) <= group:
        return ", ".join(["all seven", *short])
    return ", ".join(sorted(name.removesuffix("-service") for name in group)) or "–"


def main() -> None:
    """Print a plan, or the examples."""
    parser = argparse.ArgumentParser(description="What a change makes CI build and test.")
    parser.add_argument("--base", help="compare with this commit; without it paths are read from standard input")
    parser.add_argument("--all", action="store_true", help="the plan that leaves nothing out")
    parser.add_argument("--table", action="store_true", help="print ten examples")
    chosen = parser.parse_args()
    edges = edges_of()
    if chosen.table:
        print(table(edges))
        return
    if chosen.all:
        print(outputs(everything(edges)))
        return
    paths = changed_paths(chosen.base) if chosen.base else [line.strip() for line in sys.stdin if line.strip()]
    print(outputs(plan(paths, edges)))


if __name__ == "__main__":
    main()
