"""The steps of the workflows that release and deploy, run with real helm and recorded registries and clusters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_tools import CHARTS, RELEASES, ROOT, Helm, one, parse

WORKFLOWS = ROOT / ".github" / "workflows"
DIGESTS = {"new": "sha256:" + "a" * 64, "old": "sha256:" + "b" * 64}
# Registry and signatures as files: images/<tag> holds a digest, signed/<digest> exists; a file `down` breaks one.
DOCKER = """#!/bin/sh
test -e "$WORLD/docker-down" && { echo 'ERROR: unexpected status from HEAD request: 502 Bad Gateway' >&2; exit 1; }
cat "$WORLD/images/$(echo "$4" | tr : /)" 2> /dev/null || { echo "ERROR: $4: not found" >&2; exit 1; }
"""
COSIGN = """#!/bin/sh
[ "$1" = verify ] || exit 0
test -e "$WORLD/cosign-down" && { echo 'Error: fetching bundle: 503 Service Unavailable' >&2; exit 1; }
test -e "$WORLD/signed/${2#*@}" || { echo 'Error: no signatures found' >&2; exit 1; }
"""
# What changes a cluster or a registry is written down; the rest is done by the real program.
HELM = """#!/bin/sh
case "$1" in
  upgrade | push | rollback) printf '%s\\n' "$@" > "$WORLD/helm-$1"; echo 'Digest: sha256:0' ;;
  pull) cp "$WORLD/packed/${2##*/}-$4.tgz" "$6" ;;
  dependency) exec "$REAL_HELM" dependency update "$3" ;;
  *) exec "$REAL_HELM" "$@" ;;
esac
"""
# The asset of the release `charts` is a file, as is the commit of the last release that succeeded.
GH = """#!/bin/sh
test -e "$WORLD/gh-down" && [ "$2" = "$(cat "$WORLD/gh-down")" ] && { echo 'HTTP 502' >&2; exit 1; }
case "$1 $2" in
  "run list") cat "$WORLD/released" 2> /dev/null || true ;;
  "release view") ls "$WORLD" | grep '^index.yaml$' || [ $# -gt 3 ] || exit 1 ;;
  "release download") cp "$WORLD/index.yaml" "$7" ;;
  "release upload") cp "$4" "$WORLD/index.yaml" ;;
esac
"""
# Each call answers the next line of $WORLD/rollout; the last one stays.
KUBECTL = """#!/bin/sh
[ "$2" = rollout ] || exit 0
head -n 1 "$WORLD/rollout"
if [ "$(wc -l < "$WORLD/rollout")" -gt 1 ]; then sed -i 1d "$WORLD/rollout"; fi
"""


def steps(file: str, job: str) -> dict[str, dict[str, Any]]:
    """Return the steps of a job that have a script, by their names or ids."""
    loaded = yaml.safe_load((WORKFLOWS / file).read_text())
    return {step.get("name", step.get("id")): step for step in loaded["jobs"][job]["steps"] if "run" in step}


@dataclass(frozen=True)
class Runner:
    """A checkout with two commits of main, and the programs of a runner."""

    world: Path
    checkout: Path
    helm: Helm

    def commits(self) -> list[str]:
        """Return the commits, the newest first."""
        return self._git("rev-list", "HEAD").split()

    def publish(self, tag: str, digest: str, *, service: str, signed: bool = True) -> None:
        """Put an image into the registry."""
        path = self.world / "images" / "ghcr.io" / "acme" / "castor" / service / tag
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(digest + "\n")
        (self.world / "signed").mkdir(exist_ok=True)
        if signed:
            (self.world / "signed" / digest).touch()

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script of a step as GitHub does."""
        given = {
            "WORLD": str(self.world),
            "PATH": f"{self.world / 'bin'}:{os.environ['PATH']}",
            "REAL_HELM": str(self.helm.program),
            "GITHUB_REPOSITORY": "Acme/elections",
            "GITHUB_REPOSITORY_OWNER": "Acme",
            "GITHUB_SHA": self.commits()[0],
            "GITHUB_OUTPUT": str(self.world / "output"),
            "REGISTRY": "ghcr.io",
            "HOME": str(self.world),
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        environment = given | variables
        return subprocess.run(
            command, env=environment, cwd=self.checkout, capture_output=True, text=True, check=False, timeout=120
        )

    def outputs(self) -> dict[str, str]:
        """Return what the steps have written to GITHUB_OUTPUT."""
        path = self.world / "output"
        return dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else {}

    def given_to(self, command: str) -> list[str]:
        """Return the arguments that a command of helm got."""
        return (self.world / f"helm-{command}").read_text().splitlines()

    def _git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.checkout, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def runner(helm: Helm, tmp_path: Path) -> Runner:
    """A runner whose checkout has the charts and the scripts of the workflows."""
    (tmp_path / "bin").mkdir()
    for name, text in {"docker": DOCKER, "cosign": COSIGN, "helm": HELM, "kubectl": KUBECTL, "gh": GH}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    checkout = tmp_path / "checkout"
    for part in ("charts", ".github"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("*.tgz", "Chart.lock"))
    made = Runner(tmp_path, checkout, helm)
    made._git("init", "--quiet", "--initial-branch", "main")
    for message in ("an image", "a chart alone"):
        made._git("add", "--all")
        made._git("commit", "--quiet", "--allow-empty", "--message", message)
    return made


def resolved(step: dict[str, Any], outputs: dict[str, str], **known: str) -> dict[str, str]:
    """Return the variables of a step; expressions are outputs of the step `image` or given by name."""

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        return known[name] if name in known else outputs.get(name.removeprefix("steps.image.outputs."), "")

    return {key: re.sub(r"\$\{\{(.*?)\}\}", value, str(text)) for key, text in step.get("env", {}).items()}


def image_of(output: str) -> str:
    """Return the image that a rendered release runs."""
    found = [m for m in parse(output) if m["kind"] in ("Deployment", "Rollout")]
    image: str = found[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def deploy(runner: Runner, service: str) -> str:
    """Run deploy's steps up to the canary, and return the image of what helm would install."""
    found = steps("deploy.yml", "deploy")
    names = list(found)
    for name in names[: names.index("Begin the canary") + 1]:
        if name in ("Access", "Roll back"):
            continue
        variables = resolved(found[name], runner.outputs(), **{"inputs.environment": "staging"})
        done = runner.run(found[name]["run"], SERVICE=service, NAMESPACE="castor", **variables)
        assert done.returncode == 0, done.stderr
    given = runner.given_to("upgrade")
    options = [part for part in given[3:] if part not in ("--install", "--timeout", "40m")]
    done = subprocess.run(
        [str(runner.helm.program), "template", *given[1:3], *options],
        cwd=runner.checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return image_of(done.stdout)


def test_what_is_deployed_is_what_was_released(runner: Runner) -> None:
    """The image that deploy installs has the name under which release pushed it, and its digest."""
    runner.publish(runner.commits()[0], DIGESTS["new"], service="rag-service")
    assert runner.run(steps("release.yml", "image")["name"]["run"], SERVICE="rag-service").returncode == 0
    name = runner.outputs()["image"]
    assert deploy(runner, "rag-service") == f"{name}@{DIGESTS['new']}"


def test_a_chart_alone_runs_the_last_signed_image(runner: Runner) -> None:
    """A commit without an image of its own deploys the newest signed one before it, the same in the packed chart."""
    newest, before = runner.commits()
    runner.publish(before, DIGESTS["old"], service="rag-service")
    expected = f"ghcr.io/acme/castor/rag-service@{DIGESTS['old']}"
    assert deploy(runner, "rag-service") == expected
    found = steps("release.yml", "chart")
    for step in found.values():
        variables = resolved(step, runner.outputs(), **{"matrix.chart": "rag-service"})
        done = runner.run(step["run"], **variables)
        assert done.returncode == 0, done.stderr
    packed = next((runner.checkout / "packed").glob("rag-service-*.tgz"))
    assert newest[:12] in packed.name
    rendered = runner.helm.run("template", "rag-service", str(packed), "--namespace", "castor")
    assert rendered.code == 0, rendered.error
    assert image_of(rendered.output) == expected
    labels = one(parse(rendered.output), "Deployment")["metadata"]["labels"]
    assert labels["app.kubernetes.io/version"] == before


def test_the_umbrella_has_the_images_that_run(runner: Runner) -> None:
    """Each service in the packed chart of all runs its newest signed image, whichever commit that is of."""
    newest, before = runner.commits()
    for name in RELEASES:
        new = name == "rag-service"
        runner.publish(newest if new else before, DIGESTS["new" if new else "old"], service=name)
    done = runner.run(steps("release.yml", "umbrella")["Package, push and sign"]["run"])
    assert done.returncode == 0, done.stderr
    (packed,) = (runner.checkout / "packed").glob("castor-*.tgz")
    rendered = runner.helm.run("template", "castor", str(packed), "--namespace", "castor")
    assert rendered.code == 0, rendered.error
    found = {m["metadata"]["name"]: m for m in parse(rendered.output) if m["kind"] == "Deployment"}
    images = {name: m["spec"]["template"]["spec"]["containers"][0]["image"] for name, m in found.items()}
    assert images == {
        name: f"ghcr.io/acme/castor/{name}@{DIGESTS['new' if name == 'rag-service' else 'old']}" for name in RELEASES
    }


def pack(runner: Runner, name: str, commit: str) -> None:
    """Put a chart of this name into the registry: without dependencies, which the index does not show."""
    shutil.copytree(runner.checkout / "charts" / "trial", runner.world / name, dirs_exist_ok=True)
    chart = runner.world / name / "Chart.yaml"
    chart.write_text(chart.read_text().replace("name: trial", f"name: {name}"))
    given = ["package", str(runner.world / name), "--version", f"0.1.0-g{commit[:12]}"]
    assert runner.helm.run(*given, "--destination", str(runner.world / "packed")).code == 0


def test_the_index_leads_to_every_chart(runner: Runner) -> None:
    """A released chart is added to those of earlier releases, at its address in the registry."""
    script = steps("release.yml", "index")["Add the charts to the index"]["run"]
    for commit in reversed(runner.commits()):
        for name in ("gateway", "castor" if commit == runner.commits()[0] else "trial"):
            pack(runner, name, commit)
        charts = '["gateway"]' if commit == runner.commits()[0] else '["gateway", "trial"]'
        last = script if commit == runner.commits()[0] else script.replace('"${charts[@]}" castor', '"${charts[@]}"')
        done = runner.run(last, CHARTS=charts, GITHUB_SHA=commit)
        assert done.returncode == 0, done.stderr
        for folder in ("pulled", "former"):  # the next release has a runner of its own
            shutil.rmtree(runner.checkout / folder)
    entries = yaml.safe_load((runner.world / "index.yaml").read_text())["entries"]
    assert {name: len(versions) for name, versions in entries.items()} == {"gateway": 2, "castor": 1, "trial": 1}
    registry = "oci://ghcr.io/acme/castor/charts"
    for name, versions in entries.items():
        assert [each["urls"] for each in versions] == [[f"{registry}/{name}:{each['version']}"] for each in versions]


@pytest.mark.parametrize(("published", "signed"), [(0, False), (None, False)])
def test_nothing_unsigned_is_deployed(runner: Runner, published: int | None, signed: bool) -> None:
    """An image of the commit without a signature ends the deployment, as does a service that was never released."""
    if published is not None:
        runner.publish(runner.commits()[published], DIGESTS["new"], service="rag-service", signed=signed)
    script = steps("deploy.yml", "deploy")["Find the image and verify its signature"]["run"]
    done = runner.run(script, SERVICE="rag-service")
    assert done.returncode != 0
    assert "signed" in done.stderr
    assert "digest" not in runner.outputs()


@pytest.mark.parametrize("part", ["docker", "cosign"])
def test_an_outage_is_not_taken_for_an_absence(runner: Runner, part: str) -> None:
    """While the registry or the signatures cannot be read, no earlier image takes the place of the newest."""
    script = steps("deploy.yml", "deploy")["Find the image and verify its signature"]["run"]
    runner.publish(runner.commits()[1], DIGESTS["old"], service="rag-service")
    (runner.world / f"{part}-down").touch()
    done = runner.run(script, SERVICE="rag-service")
    assert done.returncode != 0
    assert "cannot tell" in done.stderr
    assert "50" in done.stderr  # what the registry said
    assert "digest" not in runner.outputs()
    (runner.world / f"{part}-down").unlink()
    assert runner.run(script, SERVICE="rag-service").returncode == 0
    assert runner.outputs()["digest"] == DIGESTS["old"]


@pytest.mark.parametrize("command", ["view", "download"])
def test_an_index_that_cannot_be_read_is_not_overwritten(runner: Runner, command: str) -> None:
    """When GitHub does not answer, the index keeps the versions that it has."""
    (runner.world / "index.yaml").write_text("the versions of years")
    for name in ("gateway", "castor"):
        pack(runner, name, runner.commits()[0])
    (runner.world / "gh-down").write_text(command)
    done = runner.run(steps("release.yml", "index")["Add the charts to the index"]["run"], CHARTS='["gateway"]')
    assert done.returncode != 0
    assert "HTTP 502" in done.stderr
    assert (runner.world / "index.yaml").read_text() == "the versions of years"


def test_a_release_takes_in_all_since_the_last_that_succeeded(runner: Runner) -> None:
    """Pushes whose run failed, or was replaced while it waited, are part of the next release."""
    script = steps("release.yml", "since")["Find the commit of the last release that succeeded"]["run"]
    assert runner.run(script).returncode == 0
    assert runner.outputs()["commit"] == ""  # the first release builds everything
    (runner.world / "released").write_text(runner.commits()[1] + "\n")
    assert runner.run(script).returncode == 0
    assert runner.outputs()["commit"] == runner.commits()[1]
    (runner.world / "gh-down").write_text("list")
    assert runner.run(script).returncode != 0


def test_a_chart_has_no_image_of_its_own() -> None:
    """Release adds the image to the values of a packed chart; a key that is there already would win or clash."""
    for file in sorted(CHARTS.glob("*-service/values.yaml")):
        assert "image" not in yaml.safe_load(file.read_text()), file


@pytest.mark.parametrize(
    ("observed", "succeeds"),
    [
        (["2 1 Healthy", "2 2 Progressing", "2 2 Degraded"], False),
        (["2 1 Degraded", "2 2 Paused", "2 2 Healthy"], True),
        (["1  ", "1 1 Progressing", "1 1 Healthy"], True),
        (["2 1 Healthy"], False),
    ],
    ids=["failing", "good", "first", "never-seen"],
)
def test_the_phase_of_the_former_release_decides_nothing(runner: Runner, observed: list[str], succeeds: bool) -> None:
    """Healthy or Degraded counts only for the generation that was just applied."""
    (runner.world / "rollout").write_text("\n".join(observed) + "\n")
    script = steps("deploy.yml", "deploy")["Wait for the analysis"]["run"]
    done = runner.run(script, SERVICE="rag-service", NAMESPACE="castor", ATTEMPTS="4", PAUSE_SECONDS="0")
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    assert runner.outputs()["phase"] == ("unobserved" if len(observed) == 1 else observed[-1].split()[-1])
