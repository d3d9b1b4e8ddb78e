"""Judge recorded releases by charts/common/files/analysis.yaml as Argo Rollouts would."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.observability.slo import ROOT

ANALYSIS = ROOT / "charts" / "common" / "files" / "analysis.yaml"
SERVICE = "small-service"
ROUNDS = 12
SCRAPE_SECONDS = 30
START = 1_790_000_000
"""When the recording is said to begin; Unix seconds."""
LIMITS = {"success-rate": "0.99", "p95-seconds": "0.5"}
RELEASES: Mapping[str, Mapping[str, float]] = {
    "good": {"fast": 18},
    "slow": {"fast": 12, "slow": 6},
    "failing": {"fast": 16, "broken": 2},
    "idle": {},
    "trickle": {"fast": 0.25},
    "batches": {"slow": 18},
}
"""Requests per round of each release."""
UNTIMED = {"batches": "/v1/small/slow"}
"""Releases that get background work alone: the routes whose duration says nothing."""
VERDICTS = {"Successful": "promote", "Failed": "rollback", "Inconclusive": "pause"}


@dataclass(frozen=True)
class Judgement:
    """What the analysis says of one release."""

    release: str
    values: dict[str, list[float]]
    """Per metric, the value of each measurement that gave one."""
    phases: dict[str, str]
    """Per metric, how its measurements ended together."""

    @property
    def verdict(self) -> str:
        """``promote``, ``rollback`` or ``pause``: a failure outweighs everything, doubt outweighs success."""
        worst = min(self.phases.values(), key=["Failed", "Inconclusive", "Successful"].index)
        return VERDICTS[worst]


def missing_tools() -> list[str]:
    """Return which programs of Prometheus are not installed."""
    return [name for name in ("prometheus", "promtool") if shutil.which(name) is None]


def record_all(folder: Path, rounds: int = ROUNDS) -> dict[str, list[str]]:
    """Run every release at the same time, and return their scrapes."""
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", "tools.canary.release", json.dumps(mix), str(rounds), str(folder / f"{name}.json")],
            stdout=subprocess.DEVNULL, cwd=ROOT,
        )
        for name, mix in RELEASES.items()
    }  # fmt: skip
    for name, process in running.items():
        if process.wait(120) != 0:
            raise RuntimeError(f"the release {name!r} could not be recorded")
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in running}


def open_metrics(recorded: Mapping[str, list[str]]) -> str:
    """Return all scrapes with the labels that scraping adds, stamped as if ``SCRAPE_SECONDS`` apart.

    Only time is stretched, by the same factor for all; counts, statuses and durations are as measured.
    """
    lines: list[str] = []
    for release, scrapes in recorded.items():
        target = f'job="{SERVICE}",namespace="castor",instance="{release}",rollouts_pod_template_hash="{release}"'
        # Equal pods of another namespace have the hash of the good release.
        other = f'job="{SERVICE}",namespace="staging",instance="{release}",rollouts_pod_template_hash="good"'
        for number, text in enumerate(scrapes):
            lines += _stamped(text, target, START + number * SCRAPE_SECONDS)
            lines += _stamped(text, other, START + number * SCRAPE_SECONDS) if release == "failing" else ()
    return "\n".join([*lines, "# EOF\n"])


def _stamped(text: str, target: str, at: int) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("castor_http_request_duration_seconds_"):
            continue
        name, _, rest = line.partition("{")
        labels, _, value = rest.rpartition("}")
        yield f"{name}{{{target},{labels}}} {value.strip()} {at}"


@contextlib.contextmanager
def prometheus(recording: str, folder: Path) -> Iterator[str]:
    """Serve ``recording`` from a Prometheus of its own; yields its URL."""
    (folder / "recording.txt").write_text(recording)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "recording.txt", "data"]
    subprocess.run(blocks, cwd=folder, check=True, capture_output=True, timeout=60)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("w") as log:
        server = subprocess.Popen(["prometheus", *options], cwd=folder, stdout=log, stderr=log)
    try:
        _wait_for(f"http://{address}/-/ready")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds:g} s")


def ask(url: str, query: str, at: int) -> list[float]:
    """Return the values of an instant query; raises ``ValueError`` with Prometheus's reason."""
    parameters = urllib.parse.urlencode({"query": query, "time": at})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{parameters}", timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise ValueError(error.read().decode()) from error
    return [float(series["value"][1]) for series in found]


def judge(url: str, release: str, analysis: dict[str, Any]) -> Judgement:
    """Take every measurement of every metric and end each as Argo Rollouts does."""
    arguments = {argument["name"]: argument.get("value", "") for argument in analysis["args"]}
    arguments |= {"service": SERVICE, "namespace": "castor", "canary-hash": release, **LIMITS}
    arguments |= {"untimed": UNTIMED[release]} if release in UNTIMED else {}
    values: dict[str, list[float]] = {}
    phases = {}
    for metric in analysis["metrics"]:
        query = filled(metric["provider"]["prometheus"]["query"], arguments)
        times = [START + 120 + 60 * number for number in range(metric["count"])]
        results = [ask(url, query, at) for at in times]
        values[metric["name"]] = [value for result in results for value in result]
        phases[metric["name"]] = _phase(metric, arguments, results)
    return Judgement(release, values, phases)


def filled(text: str, arguments: Mapping[str, str]) -> str:
    """Replace ``{{args.x}}``."""
    for name, value in arguments.items():
        text = text.replace("{{args." + name + "}}", value)
    return text


def _phase(metric: dict[str, Any], arguments: Mapping[str, str], results: list[list[float]]) -> str:
    good = filled(metric["successCondition"], arguments)
    bad = filled(metric["failureCondition"], arguments)
    failures = sum(holds(bad, result) for result in results)
    doubts = sum(not holds(bad, result) and not holds(good, result) for result in results)
    if failures > metric["failureLimit"]:
        return "Failed"
    return "Inconclusive" if doubts > metric["inconclusiveLimit"] else "Successful"


def holds(condition: str, result: list[float]) -> bool:
    """Evaluate a condition of our own analysis file, which Python reads almost as Argo's expression language does."""
    expression = condition.replace("&&", " and ").replace("||", " or ")
    return bool(eval(expression, {"__builtins__": {}}, {"result": result, "len": len}))


def judge_all(folder: Path) -> list[Judgement]:
    """Record, load and judge every release."""
    analysis = yaml.safe_load(ANALYSIS.read_text())
    with prometheus(open_metrics(record_all(folder)), folder) as url:
        return [judge(url, release, analysis) for release in RELEASES]
