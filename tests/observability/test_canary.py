"""The canary analysis decides rightly about recorded releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.canary.__main__ import show
from tools.canary.proof import ANALYSIS, RELEASES, Judgement, _phase, holds, judge_all, missing_tools

GOOD, BAD = "len(result) > 0 && result[0] >= 0.99", "len(result) > 0 && result[0] < 0.99"


@pytest.fixture(scope="module")
def analysis() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(ANALYSIS.read_text())
    return loaded


@pytest.mark.alone
@pytest.mark.skipif(bool(missing_tools()), reason="needs prometheus and promtool (Debian: apt-get install prometheus)")
def test_recorded_releases_get_the_right_verdict(tmp_path: Path) -> None:
    """A good release is promoted, a slow and a failing one rolled back, one without traffic waits for a person.

    One that gets nothing but background work, for which nobody waits, is judged by its success alone.
    """
    judged = judge_all(tmp_path)
    print("\n" + show(judged))
    assert {one.release: one.verdict for one in judged} == {
        "good": "promote", "slow": "rollback", "failing": "rollback", "idle": "pause", "trickle": "pause",
        "batches": "promote",
    }  # fmt: skip
    by_name = {one.release: one for one in judged}
    assert by_name["slow"].phases["success-rate"] == "Successful", "slowness is judged by time alone"
    assert by_name["failing"].phases["p95-seconds"] == "Successful", "failure is judged by success alone"
    assert {*by_name} == {*RELEASES}


@pytest.mark.parametrize(
    ("result", "good", "bad"),
    [([0.995], True, False), ([0.99], True, False), ([0.98], False, True), ([], False, False)],
)
def test_nothing_measured_is_neither_success_nor_failure(result: list[float], good: bool, bad: bool) -> None:
    """An empty answer satisfies no condition; a value satisfies exactly one."""
    assert (holds(GOOD, result), holds(BAD, result)) == (good, bad)


@pytest.mark.parametrize(
    ("results", "phase"),
    [
        ([[1.0]] * 5, "Successful"),
        ([[0.5], [1.0], [1.0], [1.0], [1.0]], "Successful"),
        ([[0.5], [0.5], [1.0], [1.0], [1.0]], "Failed"),
        ([[], [1.0], [1.0], [1.0], [1.0]], "Inconclusive"),
        ([[], [0.5], [0.5], [], []], "Failed"),
    ],
)
def test_one_bad_minute_is_forgiven_two_are_not(analysis: dict[str, Any], results: list[Any], phase: str) -> None:
    """More failures than the limit fail a metric, whatever else; any silence leaves it undecided."""
    limits = {key: analysis["metrics"][0][key] for key in ("failureLimit", "inconclusiveLimit")}
    assert _phase({**limits, "successCondition": GOOD, "failureCondition": BAD}, {}, results) == phase


def test_failure_outweighs_doubt_and_doubt_success() -> None:
    """The worst metric decides."""
    verdicts = [
        Judgement("x", {}, {"a": a, "b": b}).verdict
        for a, b in [("Successful", "Failed"), ("Inconclusive", "Failed"), ("Successful", "Inconclusive")]
    ]
    assert verdicts == ["rollback", "rollback", "pause"]


def test_every_argument_is_declared_and_used(analysis: dict[str, Any]) -> None:
    """The queries use exactly the arguments that the file declares."""
    text = yaml.safe_dump(analysis["metrics"], width=10_000)
    declared = {argument["name"] for argument in analysis["args"]}
    assert {name for name in declared if "{{args." + name + "}}" in text} == declared
    assert text.count("{{args.") == sum(text.count("{{args." + name + "}}") for name in declared)
