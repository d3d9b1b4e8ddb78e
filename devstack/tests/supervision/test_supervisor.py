"""Order, restarts and ends of parts, with the smallest real processes there are."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from castor_devstack.errors import DevstackError, PartFailed
from castor_devstack.supervision import supervisor
from castor_devstack.supervision.processes import Part, Step, run_once
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.supervision.supervisor import Supervisor

LASTING = "import sys, time; open(sys.argv[1], 'a').write('up\\n'); time.sleep(600)"


class Bench:
    """Makes parts and remembers the supervisors, so that nothing outlives a test."""

    def __init__(self, state_folder: StateFolder) -> None:
        self.state_folder = state_folder
        self.said: list[str] = []
        self.order: list[str] = []
        self._supervisors: list[Supervisor] = []

    def part(self, name: str, *needs: str, code: str = LASTING) -> Part:
        """Return a part that is ready once it has written into a file of its name."""
        sign = self.state_folder.root / name

        async def ready() -> bool:
            return sign.exists() and bool(sign.read_text())

        command = (sys.executable, "-S", "-c", code, str(sign))
        return Part(
            name,
            command,
            self.state_folder.log(name),
            ready,
            environment=os.environ,
            needs=needs,
            stop_patience_seconds=1,
        )

    def step(self, name: str, *needs: str) -> Step:
        """Return a step that only notes that it was taken."""

        async def run() -> None:
            self.order.append(name)

        return Step(name, run, needs)

    def supervise(self, *plan: Part | Step, print_line: Callable[[str], None] | None = None) -> Supervisor:
        """Return a supervisor for a plan."""
        made = Supervisor(self.state_folder, plan, State("starting"), print_line or self.said.append)
        self._supervisors.append(made)
        return made

    def pid(self, name: str) -> int:
        """Return the recorded process of a part."""
        return State.read(self.state_folder).parts[name].number

    async def close(self) -> None:
        """Stop everything."""
        for started in self._supervisors:
            await started.stop()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A state folder and a maker of parts."""
    state_folder = StateFolder(tmp_path / "state")
    state_folder.create()
    bench = Bench(state_folder)
    yield bench
    await bench.close()


async def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


async def test_a_part_starts_after_what_it_needs_and_ends_before_it(bench: Bench) -> None:
    """Needs come up first and go down last; what needs nothing starts at once."""
    code = "import signal, sys, time; f = open(sys.argv[1] + '.end', 'w')\n"
    code += "def end(*_): f.write(str(time.time())); f.close(); sys.exit(0)\n"
    code += "signal.signal(15, end); open(sys.argv[1], 'w').write(str(time.time())); time.sleep(600)"
    plan = [bench.part("front", "service", code=code), bench.part("service", "base", code=code)]
    started = bench.supervise(*plan, bench.part("base", code=code))
    await started.start()
    await started.stop()
    root = bench.state_folder.root
    began = {name: float((root / name).read_text()) for name in ("base", "service", "front")}
    ended = {name: float((root / f"{name}.end").read_text()) for name in began}
    assert began["base"] < began["service"] < began["front"]
    assert ended["front"] < ended["service"] < ended["base"]
    assert State.read(bench.state_folder).parts == {}


async def test_what_does_not_depend_on_each_other_starts_together(bench: Bench) -> None:
    """Three parts of which none is ready before all have begun become ready."""
    together = "import os, sys, time; mine = sys.argv[1]; open(mine + '.begun', 'w').close()\n"
    together += "while not all(os.path.exists(mine[:-1] + name + '.begun') for name in 'abc'): time.sleep(0.02)\n"
    together += "open(mine, 'w').write('up'); time.sleep(600)"
    await bench.supervise(*(bench.part(name, code=together) for name in "abc")).start()
    assert sum(" ready " in line for line in bench.said) == 3


async def test_a_failed_part_is_named_and_stops_the_start(bench: Bench) -> None:
    """The error names the part, its exit, its last words and its log; what needed it never starts."""
    broken = bench.part("twitter", "base", code="import sys; print('no such table: tweets'); sys.exit(3)")
    started = bench.supervise(bench.part("base"), broken, bench.step("after", "twitter"))
    with pytest.raises(PartFailed) as failure:
        await started.start()
    for fact in (
        "twitter did not start",
        "exit code 3",
        "no such table: tweets",
        str(bench.state_folder.log("twitter")),
    ):
        assert fact in str(failure.value)
    assert bench.order == []


async def test_a_part_that_is_never_ready_fails_in_time(bench: Bench) -> None:
    """A part that runs but does not become ready is given up after its patience, with what it still waits for."""

    async def pending() -> str:
        return "model: still loading"

    lazy = replace(bench.part("lazy", code="import time; time.sleep(600)"), start_patience_seconds=0.3, pending=pending)
    with pytest.raises(PartFailed, match=r"not ready within 0.3 s \(model: still loading\)"):
        await bench.supervise(lazy).start()


async def test_a_program_that_does_not_exist_is_a_failed_part(bench: Bench) -> None:
    """A missing program ends the start like any other failure."""
    with pytest.raises(PartFailed, match="No such file"):
        await bench.supervise(replace(bench.part("x"), command=("/no/such/program",))).start()


async def test_a_killed_part_is_started_again(bench: Bench) -> None:
    """After kill -9 the part runs as a new process, the state file knows it, and others are left alone."""
    await bench.supervise(bench.part("service"), bench.part("other")).start()
    first, other = bench.pid("service"), bench.pid("other")
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: "  service is back" in bench.said)
    assert bench.pid("service") != first
    assert bench.pid("other") == other
    assert any("SIGKILL" in line for line in bench.said)


async def test_a_part_that_keeps_dying_is_started_ever_more_slowly(bench: Bench) -> None:
    """Restarts of a part that ends at once are spaced out, so that it does not eat the machine."""
    once = "import sys, time; open(sys.argv[1], 'a').write('up\\n'); time.sleep(1.5)"
    ends: list[tuple[str, int, float]] = []

    def print_line(line: str) -> None:
        if "starts again" in line:
            starts = (bench.state_folder.root / "flaky").read_text().count("up")
            ends.append((line.rpartition("starts again ")[2], starts, time.monotonic()))

    await bench.supervise(bench.part("flaky", code=once), print_line=print_line).start()
    await eventually(lambda: len(ends) >= 2)
    assert [end[:2] for end in ends[:2]] == [("in 0.5 s", 1), ("in 1 s", 2)]
    assert ends[1][2] - ends[0][2] > 0.4 + 1.4


async def test_a_deaf_part_is_killed_in_the_end(bench: Bench) -> None:
    """A part that ignores SIGTERM is killed after its patience, with what it started."""
    deaf = "import os, signal, subprocess, sys, time; signal.signal(15, signal.SIG_IGN)\n"
    deaf += "child = subprocess.Popen(['sleep', '600']); open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"
    started = bench.supervise(bench.part("deaf", code=deaf))
    await started.start()
    pid, child = bench.pid("deaf"), int((bench.state_folder.root / "deaf").read_text())
    await asyncio.wait_for(started.stop(), 30)
    await eventually(lambda: not psutil.pid_exists(pid) and not psutil.pid_exists(child))


async def test_a_part_that_waits_for_its_restart_starts_when_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long its pause would be."""
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 3600)
    started = bench.supervise(bench.part("service"))
    await started.start()
    os.kill(bench.pid("service"), signal.SIGKILL)
    await eventually(lambda: any("SIGKILL" in line for line in bench.said))
    started.restart("service")
    await eventually(lambda: (bench.state_folder.root / "service").read_text() == "up\n" * 2)


async def test_a_stopped_supervisor_starts_nothing_again(bench: Bench) -> None:
    """A part that waits for its restart when everything stops stays down."""
    started = bench.supervise(bench.part("service"))
    await started.start()
    os.kill(bench.pid("service"), signal.SIGKILL)
    await eventually(lambda: any("SIGKILL" in line for line in bench.said))
    await started.stop()
    await asyncio.sleep(0.7)
    assert (bench.state_folder.root / "service").read_text() == "up\n"


async def test_parts_that_wait_for_each_other_are_refused(bench: Bench) -> None:
    """A circle of needs is an error before anything starts."""
    with pytest.raises(DevstackError, match=r"\['a', 'b'\]"):
        bench.supervise(bench.part("a", "b"), bench.part("b", "a"), bench.part("c"))


async def test_a_program_that_runs_once_must_succeed(bench: Bench) -> None:
    """Exit code 0 is success; anything else is an error with the last words."""
    await run_once(bench.part("fine", code="pass"))
    with pytest.raises(PartFailed, match="broken column"):
        await run_once(bench.part("bad", code="raise SystemExit('broken column')"))


async def test_a_slow_part_is_said_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a part takes long, a line says which one and what it waits for."""
    monkeypatch.setattr(supervisor, "SLOW_AFTER_SECONDS", 0.1)
    slow = "import os, sys, time\nwhile not os.path.exists(sys.argv[1] + '.go'): time.sleep(0.02)\n"
    slow += "open(sys.argv[1], 'w').write('up'); time.sleep(600)"
    starting = asyncio.ensure_future(bench.supervise(bench.part("slow", code=slow)).start())
    told = "is not ready yet: it does not answer"
    await eventually(lambda: any("slow" in line and told in line for line in bench.said))
    (bench.state_folder.root / "slow.go").touch()
    await starting
