"""What a reader of the console waits for: the first number of the overview, and answers to keys and clicks.

    .venv/bin/python -m bench console [--tweets N] [--settle SECONDS] [--rounds N]

Needs the dependency group ``browser`` and Chromium. A fresh system gets the bundled sample by ``castor demo``, is
measured, gets ``--tweets`` more (default 0; 100,000 is the size that interactions are promised for), and is measured
again. They have the sample's texts, so sentiment-service remembers their scores; after ``--settle`` seconds at most the
reader begins, and what was not yet classified or indexed is printed. Times are those of Chromium's own clock: from
asking for the page to the frame that shows the number, and by Event Timing from a key or click to the next frame.
Ratios are to a limit: 1 s and 100 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.console.browser import NUMBERS, Reader, reading
from bench.console.tweets import lines
from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.job.tokens import access_token, password
from castor_devstack.job.traced_client import TracedClient
from castor_devstack.stack.credentials import ADMIN_EMAIL
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.testing_system import System

FIRST_MS, ANSWER_MS = 1000, 100
SHOWN_LETTERS = 110
WEEK, QUARTER = "", "?desde=2026-03-02&hasta=2026-05-30"
ENTITY = "mariana-restrepo"


def main() -> None:
    """Measure with the sample alone, and again with more tweets, and print a line for each number and interaction."""
    given = _parser().parse_args()
    with running() as folder:
        client = TracedClient(IngressClient.of(folder), lambda: access_token(folder))
        measure(client.url, password(folder), given.rounds)
        if given.tweets:
            fill(client, given.tweets, given.settle)
            measure(client.url, password(folder), given.rounds)


def measure(url: str, secret: str, rounds: int) -> None:
    """Let one reader visit every view that is measured."""
    print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
    with reading(url, ADMIN_EMAIL, secret) as reader:
        print_firsts(reader, rounds)
        print_interactions(reader)


@contextmanager
def running() -> Iterator[StateFolder]:
    """Run a fresh system with the sample in it."""
    with tempfile.TemporaryDirectory(prefix="castor-bench-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "state"
        system = System(home, {**os.environ, "CASTOR_HOME": str(home), "RATE_LIMIT": "1000000/minute"})
        system.castor("up", "--detach")
        try:
            system.castor("demo")
            yield StateFolder(home)
        finally:
            system.castor("down")


def fill(client: TracedClient, tweets: int, settle: float) -> None:
    """Import generated tweets into the sample's data set, and wait for their scores, ``settle`` seconds at most."""
    dataset = client.get("/v1/twitter/datasets")["data"]["items"][0]["name"]
    started = time.monotonic()
    path = f"/v1/twitter/imports?filename=generated.jsonl&dataset={dataset}"
    done = client.call("POST", path, lines(tweets), seconds=3600, Content_Type="application/x-ndjson")["data"]
    print(f"{done['accepted']} of {tweets} generated tweets stored in {time.monotonic() - started:.0f} s", flush=True)
    until = time.monotonic() + settle
    state: dict[str, Any] = {"pending": 1, "targets_pending": 1}
    while (state["pending"] or state["targets_pending"]) and time.monotonic() < until:
        time.sleep(2)
        state = client.get("/v1/twitter/scores/progress")["data"]
    indexed = client.get("/v1/rag/status")["data"]
    print(
        f"{state['tweets']} tweets stored: {state['pending']} without sentiment, {state['targets_pending']} names in "
        f"tweets not judged, {indexed['pending']} documents without a vector after {time.monotonic() - started:.0f} s"
    )


def print_firsts(reader: Reader, rounds: int) -> None:
    """Print the times to the first numbers, each the median of some rounds, and the requests of the last one."""
    for name, cached in (("nothing cached", False), ("files cached", True)):
        for span, address in (("week", WEEK), ("quarter", QUARTER)):
            found = [reader.first_numbers(address, cached=cached) for _ in range(rounds)]
            print_first(f"{span}, {name}", found)
    for each in sorted(reader.requests(), key=lambda one: one["startTime"]):
        path = each["name"].removeprefix(reader.url)[:SHOWN_LETTERS]
        print(f"    {each['startTime']:7.0f} ms +{each['duration']:6.0f} ms {path}")
    tab = reader.page.context.new_page()
    print_first("a link in another tab", [reader.first_numbers(WEEK, cached=True, tab=tab)])
    tab.close()


def print_first(name: str, rounds: list[dict[str, float]]) -> None:
    """Print the median of the first count and the first index, in ms, and the latter's ratio to a second."""
    count, index = (statistics.median(each[number] for each in rounds) for number in NUMBERS)
    ratio = index / FIRST_MS
    print(f"first number, {name}: tweets {count:.0f} ms, ICCE {index:.0f} ms ({ratio:.2f} of 1 s)", flush=True)


def print_interactions(reader: Reader) -> None:
    """Print the slowest answer and the longest task of what a reader does in each view."""
    for view, actions in VISITS.items():
        reader.open(view)
        reader.heard()
        for name, act in actions.items():
            act(reader.page)
            reader.settle()
            print_answer(f"{view.split('?')[0] or 'overview'}, {name}", *reader.heard())


def print_answer(name: str, answer: float, task: float) -> None:
    """Print what one interaction took, and its ratio to a tenth of a second."""
    ratio = answer / ANSWER_MS
    print(f"{name}: {answer:.0f} ms ({ratio:.2f} of 100 ms), longest task {task:.0f} ms", flush=True)


def press(selector: str, *keys: str) -> Callable[[Any], None]:
    """Return an action: put the focus on something and press keys."""

    def act(page: Any) -> None:
        page.locator(selector).first.focus()
        for key in keys:
            page.keyboard.press(key)

    return act


def click(selector: str) -> Callable[[Any], None]:
    """Return an action: click."""
    return lambda page: page.locator(selector).first.click()


PERIOD = "select[aria-label=Duración]"
ARROWS = ("ArrowLeft",) * 5
VISITS: dict[str, dict[str, Callable[[Any], None]]] = {
    QUARTER: {
        "a table instead of a chart": click("section.card button[aria-pressed]"),
        "a shorter period": press(PERIOD, "ArrowUp"),
        "a longer period": press(PERIOD, "ArrowDown"),
        "the period before": press("main", "["),
    },
    f"candidaturas/{ENTITY}{QUARTER}": {
        "five days along the line": press("svg[role=slider]", *ARROWS),
        "the pointer over the line": lambda page: page.locator("svg[role=slider]").first.hover(),
        "outlines of departments": click("[data-outlines]"),
        "a shorter period": press(PERIOD, "ArrowUp"),
    },
    f"comparar{QUARTER}": {
        "another candidate": click("fieldset label >> nth=2"),
        "five days along the line": press("svg[role=slider]", *ARROWS),
    },
    f"tendencias{QUARTER}": {
        "a window of 72 hours": press("main label select", "ArrowDown"),
        "posts and time line of a topic": click("section.card button[aria-expanded]"),
    },
    f"explorar{QUARTER}": {
        "a page more": click("section.card > div > button"),
        "one more": click("section.card > div > button"),
        "typing": press("#q", *"represa"),
        "searching": press("#q", "Enter"),
        "without filters": click("form button.quiet"),
    },
}  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench console", description=__doc__)
    parser.add_argument("--tweets", type=int, default=0, help="generated tweets beside the sample")
    parser.add_argument("--settle", type=float, default=300, help="seconds to wait at most for scores")
    parser.add_argument("--rounds", type=int, default=3)
    return parser
