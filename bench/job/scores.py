"""Tweets a second from import to last score, and CPU a tweet by service, with the whole system running.

    .venv/bin/python -m bench main_job [--input FILE] [--checkout FOLDER ...] [--rounds N]

Each checkout (by default this one; for a comparison give two whose environments are built) gets a fresh system in a
state folder of its own, in turns, one at a time: what else runs on the machine disturbs all alike. The file is imported
into an empty store, authors tracked; the clock stops when the last text, and again when the last pair of a tweet and an
entity, has its sentiment, and when the last document has its vector. Trending, indexing and embeddings go on meanwhile,
as in ``castor demo``. CPU is that of all processes of a part (its children too) up to the last vector.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.job.tokens import access_token
from castor_devstack.job.traced_client import Json, TracedClient
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import StateFolder

HERE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CASTOR_DATA") or HERE.parent / "shared" / "data")
PROGRESS = "/v1/twitter/scores/progress"
START_SECONDS, JOB_SECONDS = 300, 1800


@dataclass
class Run:
    """One import: seconds to the last text, pair and vector, and CPU seconds by part up to the last vector."""

    tweets: int = 0
    text_seconds: float = 0.0
    pair_seconds: float = 0.0
    vectors_before: int = 0
    """Documents that had their vector when the last pair had its sentiment: what embeddings took of the processors."""
    vector_seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Measure and print a line for each run, and the CPU a tweet by part."""
    given = _parser().parse_args()
    runs: dict[Path, list[Run]] = defaultdict(list)
    for _ in range(given.rounds):
        for checkout in given.checkout:
            run = measured(checkout.resolve(), given.input)
            runs[checkout].append(run)
            print(f"{checkout}: {_line(run)}, load average {os.getloadavg()[0]:.1f}", flush=True)
    for checkout, some in runs.items():
        print(f"\n{checkout}, CPU ms a tweet up to the last vector")
        for part in sorted(some[0].cpu, key=lambda part: -some[0].cpu[part]):
            print(f"  {part:22}" + "".join(f"{1000 * run.cpu.get(part, 0.0) / run.tweets:9.2f}" for run in some))


def measured(checkout: Path, file: Path) -> Run:
    """Start a system of ``checkout``, import ``file``, and stop the system."""
    castor = str(checkout / ".venv" / "bin" / "castor")
    with tempfile.TemporaryDirectory(prefix="castor-bench-") as folder:
        Path(folder).chmod(0o711)
        environment = {**os.environ, "CASTOR_HOME": str(Path(folder) / "state")}

        def run(*arguments: str) -> None:
            command = [castor, *arguments]
            subprocess.run(
                command, env=environment, cwd=checkout, check=True, timeout=START_SECONDS, stdout=subprocess.DEVNULL
            )

        run("up", "--detach")
        try:
            return imported(StateFolder(Path(folder) / "state"), file)
        finally:
            run("down")


def imported(state_folder: StateFolder, file: Path) -> Run:
    """Import ``file`` and wait for all sentiments."""
    client = TracedClient(IngressClient.of(state_folder), lambda: access_token(state_folder))
    before, started = cpu_seconds(state_folder), time.monotonic()
    client.call(
        "POST",
        f"/v1/twitter/imports?filename={file.name}&track_authors=true",
        iter([file.read_bytes()]),
        seconds=JOB_SECONDS,
        Content_Type="text/csv",
    )
    run = Run()
    run.tweets = waited(client, lambda state: state["pending"] == 0)["tweets"]
    run.text_seconds = time.monotonic() - started
    waited(client, lambda state: state["pending"] == 0 and state["targets_pending"] == 0)
    run.pair_seconds = time.monotonic() - started
    run.vectors_before = client.get("/v1/rag/status")["data"]["embedded"]
    head = int(client.get(PROGRESS)["data"]["feed_head"])
    waited(client, lambda state: state["pending"] == 0 and int(state["cursor"]) >= head, "/v1/rag/status")
    run.vector_seconds = time.monotonic() - started
    after = cpu_seconds(state_folder)
    run.cpu = {part: seconds - before.get(part, 0.0) for part, seconds in after.items()}
    return run


def waited(client: TracedClient, is_done: Callable[[Json], bool], path: str = PROGRESS) -> Json:
    """Return what ``path`` says as soon as ``is_done`` says so; raises ``TimeoutError`` after half an hour."""
    until = time.monotonic() + JOB_SECONDS
    while time.monotonic() < until:
        state: Json = client.get(path)["data"]
        if is_done(state):
            return state
        time.sleep(0.2)
    raise TimeoutError(f"{path}: not done after {JOB_SECONDS} s")


def cpu_seconds(state_folder: StateFolder) -> dict[str, float]:
    """Return the CPU seconds of each part that runs, those of its children included, also of children that ended."""
    found = {}
    for part, pid in State.read(state_folder).parts.items():
        process = psutil.Process(pid.number)
        tree = [process, *process.children(recursive=True)]
        found[part] = sum(sum(one.cpu_times()[:4]) if one is process else sum(one.cpu_times()[:2]) for one in tree)
    return found


def _line(run: Run) -> str:
    texts, pairs = run.tweets / run.text_seconds, run.tweets / run.pair_seconds
    cpu = 1000 * sum(run.cpu.values()) / run.tweets
    return (
        f"{run.tweets} tweets, last text after {run.text_seconds:.1f} s ({texts:.0f}/s), last pair after "
        f"{run.pair_seconds:.1f} s ({pairs:.0f}/s; {run.vectors_before} had their vector), last vector after "
        f"{run.vector_seconds:.1f} s, "
        f"CPU {cpu:.1f} ms a tweet"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench main_job", description=__doc__)
    parser.add_argument("--input", type=Path, default=DATA / "colombia_2022_tweets.csv", help="a CSV of tweets")
    parser.add_argument("--checkout", type=Path, nargs="+", default=[HERE], help="checkouts to measure in turns")
    parser.add_argument("--rounds", type=int, default=1)
    return parser
