"""CI builds what a change can reach, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.changed import EXAMPLES, ROOT, TOOLS, Plan, consumers, edges_of, everything, outputs, plan, table

SEVEN = frozenset(
    f"{name}-service" for name in ("auth", "sentiment", "openai", "twitter", "trending", "rag", "forecast")
)
CONSOLE = frozenset({"console"})
RELEASES = SEVEN | CONSOLE
EDGES = edges_of()


def services(*names: str) -> frozenset[str]:
    return frozenset(f"{name}-service" for name in names)


def test_edges_are_read_from_the_clients() -> None:
    """The services and who calls whom are those of the checkout."""
    assert EDGES.keys() == SEVEN
    assert EDGES["rag-service"] == services("openai", "twitter")
    assert consumers("twitter-service", EDGES) == services("trending", "rag", "forecast")
    assert consumers("forecast-service", EDGES) == frozenset()


@pytest.mark.parametrize(
    ("path", "images", "suites"),
    [
        ("rag-service/rag_service/retrieval/service.py", services("rag"), services("rag")),
        ("rag-service/rag_service/prompts/answer.v1.es.txt", services("rag"), services("rag")),
        ("rag-service/pyproject.toml", services("rag"), services("rag")),
        ("rag-service/tests/retrieval/test_search.py", frozenset(), services("rag")),
        ("rag-service/README.md", frozenset(), frozenset()),
        ("openai-service/openai_service/prompts/answers.md", services("openai"), services("openai")),
        (
            "sentiment-service/sentiment_service/models/linear/MODEL_CARD.md",
            services("sentiment"),
            services("sentiment"),
        ),
        ("devstack/castor_devstack/sample/README.md", frozenset(), frozenset({"devstack"})),
        ("openai-service/training/README.md", frozenset(), frozenset()),
        ("openai-service/training/fit.py", frozenset(), frozenset()),
        ("contracts/sentiment-service.v1.yaml", services("sentiment", "twitter"), services("sentiment", "twitter")),
        ("contracts/released/auth-service.v1.yaml", services("auth"), services("auth")),
        ("chassis/castor_chassis/tls.py", RELEASES, RELEASES | {"chassis", "devstack"}),
        ("chassis/tests/test_tls.py", frozenset(), frozenset({"chassis"})),
        ("devstack/castor_devstack/stack/pki.py", frozenset(), frozenset({"devstack"})),
        ("Dockerfile", RELEASES, frozenset()),
        ("tools/slim.py", RELEASES, frozenset()),
        ("uv.lock", RELEASES, RELEASES | {"chassis", "devstack"}),
        ("console/src/App.svelte", CONSOLE, CONSOLE),
        ("console/tests/test_build.py", frozenset(), CONSOLE),
        ("docs/adr/0001-code-first-contracts.md", frozenset(), frozenset()),
        ("bench/chassis/cpu.py", frozenset(), frozenset()),
        ("tests/docs/test_references.py", frozenset(), frozenset()),
        (".devcontainer/devcontainer.json", frozenset(), frozenset()),
        ("charts/common/templates/_pod.tpl", frozenset(), frozenset()),
    ],
)
def test_a_change_reaches_its_dependents_only(path: str, images: frozenset[str], suites: frozenset[str]) -> None:
    """A service's code builds itself, the chassis all eight releases, a contract its consumers, documents nothing."""
    made = plan([path], EDGES)
    assert (made.images, made.suites) == (images, suites)


@pytest.mark.parametrize(
    ("path", "charts"),
    [
        ("charts/common/values.yaml", RELEASES),
        ("charts/values/production.yaml", RELEASES),
        ("charts/console/values.yaml", CONSOLE),
        ("charts/rag-service/values.yaml", services("rag")),
        ("charts/observability/slo.yaml", frozenset({"observability"})),
        ("charts/gateway/values.yaml", frozenset({"gateway"})),
        ("charts/trial/values.yaml", frozenset({"trial"})),
        ("charts/examples/k3s.yaml", RELEASES),
        ("rag-service/rag_service/settings.py", services("rag")),
        ("tests/e2e/test_main_job.py", frozenset()),
    ],
)
def test_charts_follow_what_they_are_made_of(path: str, charts: frozenset[str]) -> None:
    """The library reaches all charts; a service's settings reach its own."""
    assert plan([path], EDGES).charts == charts


def test_the_comparison_of_contracts_is_tested_with_the_contracts() -> None:
    """A change of the tool that compares contracts runs the tests of contracts."""
    assert plan(["tools/contracts/compatibility.py"], EDGES) == Plan(contracts=True)


@pytest.mark.parametrize("path", ["something/new.py", "newfile", "contracts/unknown.yaml", "tools/changed.py"])
def test_what_is_not_known_rebuilds_everything(path: str) -> None:
    """A path that no rule names, and the rules themselves, leave nothing out."""
    assert plan([path], EDGES) == everything(EDGES)


def test_everything_is_every_chart() -> None:
    """The plan that leaves nothing out names each chart that is released by itself: not the library, not castor."""
    charts = {file.parent.name for file in (ROOT / "charts").glob("*/Chart.yaml")}
    assert everything(EDGES).charts == charts - {"common", "castor"}


def test_a_change_of_many_paths_is_the_sum() -> None:
    """Plans add up, and no change is an empty plan."""
    both = plan(["auth-service/auth_service/tokens/signing_keys.py", "charts/rag-service/values.yaml"], EDGES)
    assert both.images == services("auth")
    assert both.charts == services("auth", "rag")
    assert plan([], EDGES) == Plan()


def test_every_folder_has_a_rule() -> None:
    """Of what is tracked, only files at the root may be strangers; a new folder needs a decision."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    strangers = {path for path in listed if "/" in path and plan([path], EDGES) == everything(EDGES)}
    meant = ("chassis/castor_chassis/", "chassis/pyproject.toml", *(pattern.rstrip("*") for pattern in TOOLS))
    assert [path for path in sorted(strangers) if not path.startswith(meant)] == []


def test_ten_examples_are_printed() -> None:
    """The table has ten rows, and the script needs nothing but Python."""
    command = [sys.executable, "-I", str(ROOT / "tools" / "changed.py"), "--table"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout
    assert printed.strip() == table(EDGES)
    assert len(EXAMPLES) == len(printed.strip().splitlines()) - 2 == 10


def test_paths_are_read_from_the_input(tmp_path: Path) -> None:
    """The script reads paths, also such with spaces, and prints outputs as Actions read them."""
    paths = "rag-service/README.md\nrag-service/tests/a b.py\n"
    command = [sys.executable, str(ROOT / "tools" / "changed.py")]
    given = subprocess.run(command, input=paths, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert given.stdout.strip() == outputs(Plan(suites=services("rag")))
    assert 'images=[]\nsuites=["rag-service"]\n' in given.stdout
