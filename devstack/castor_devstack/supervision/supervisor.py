"""Starts parts in the order of their needs, restarts them when they end, stops them in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from castor_devstack.errors import DevstackError, PartFailed
from castor_devstack.supervision.atomic_files import bound_log
from castor_devstack.supervision.processes import Part, Running, Step, ending, spawn
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import StateFolder

PrintLine = Callable[[str], None]

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 60.0
SLOW_AFTER_SECONDS = 15.0


class Supervisor:
    """Runs one plan; while it runs, nothing else writes the state file."""

    def __init__(
        self, state_folder: StateFolder, plan: Sequence[Part | Step], state: State, print_line: PrintLine
    ) -> None:
        self._home = state_folder
        self._plan = {item.name: item for item in plan}
        self._state = state
        self._print_line = print_line
        self._running: dict[str, Running] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._asked = {name: asyncio.Event() for name in self._plan}
        self._stopping = False
        _check_order(self._plan)

    async def start(self) -> None:
        """Start everything; raises ``DevstackError`` when a part fails."""
        done = {name: asyncio.Event() for name in self._plan}
        try:
            async with asyncio.TaskGroup() as group:
                for item in self._plan.values():
                    group.create_task(self._start_one(item, done))
        except ExceptionGroup as failures:
            # Not except*: until Python 3.11.4 what it raises comes out in a group.
            ours, others = failures.split(DevstackError)
            if others is not None or ours is None:
                raise
            raise _first(ours) from None

    async def stop(self) -> None:
        """Stop everything: a part stops after the parts that need it."""
        self._stopping = True
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        stopped = {name: asyncio.Event() for name in self._plan}
        await asyncio.gather(*(self._stop_one(name, stopped) for name in self._plan))

    def kill(self) -> None:
        """Kill all parts at once."""
        for running in self._running.values():
            running.signal(signal.SIGKILL)

    def restart(self, name: str) -> None:
        """Restart a part, for example to make it read a renewed certificate; one that waits for its restart, now."""
        self._asked[name].set()
        if name in self._running:
            self._running[name].signal(signal.SIGTERM)

    def trim_logs(self) -> None:
        """Bound the logs of the running parts."""
        for running in self._running.values():
            bound_log(running.part.log)

    async def _start_one(self, item: Part | Step, done: Mapping[str, asyncio.Event]) -> None:
        for need in item.needs:
            await done[need].wait()
        began = time.monotonic()
        if isinstance(item, Step):
            await item.run()
        else:
            await self._launch(item)
            self._watchers[item.name] = asyncio.create_task(self._restart_when_ended(item))
        done[item.name].set()
        self._print_line(f"  {item.name:<28} ready {time.monotonic() - began:6.1f} s")

    async def _launch(self, part: Part) -> None:
        await part.prepare()
        running = Running(part, await spawn(part))
        self._running[part.name] = running
        self._record(part.name)
        waiting = asyncio.create_task(self._report_slow_start(part))
        try:
            await running.until_ready()
        finally:
            waiting.cancel()

    async def _report_slow_start(self, part: Part) -> None:
        while True:
            await asyncio.sleep(SLOW_AFTER_SECONDS)
            self._print_line(f"  {part.name:<28} is not ready yet: {await part.pending()}")

    async def _restart_when_ended(self, part: Part) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping:
            began = time.monotonic()
            code = await self._running[part.name].ended()
            was_healthy = time.monotonic() - began > HEALTHY_AFTER_SECONDS
            pause = FIRST_PAUSE_SECONDS if was_healthy or self._asked[part.name].is_set() else pause
            again = "now" if self._asked[part.name].is_set() else f"in {pause:g} s"
            self._print_line(f"  {part.name} ended with {ending(code)}; it starts again {again}")
            if await self._was_asked_within(part, pause):
                pause = FIRST_PAUSE_SECONDS / 2
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            await self._relaunch(part)

    async def _was_asked_within(self, part: Part, seconds: float) -> bool:
        """Wait, but not beyond the moment that somebody asks for a restart; return whether somebody did."""
        asked = self._asked[part.name]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asked.wait()
        was_asked = asked.is_set()
        asked.clear()
        return was_asked

    async def _relaunch(self, part: Part) -> None:
        try:
            await self._launch(part)
        except Exception as error:  # whatever it is, the watcher must go on
            self._print_line(f"  {error}")
        else:
            self._print_line(f"  {part.name} is back")

    async def _stop_one(self, name: str, stopped: Mapping[str, asyncio.Event]) -> None:
        for other in self._plan.values():
            if name in other.needs:
                await stopped[other.name].wait()
        if name in self._running:
            await self._running[name].stop()
            del self._running[name]
            self._record(name)
        stopped[name].set()

    def _record(self, name: str) -> None:
        if name in self._running:
            self._state.parts[name] = self._running[name].pid
        else:
            self._state.parts.pop(name, None)
        self._state.write(self._home)


@dataclass(frozen=True)
class Hooks:
    """What the caller of ``supervise`` does at each phase."""

    on_ready: Callable[[], None]
    on_stopping: Callable[[], None]
    maintain: Callable[[], Awaitable[None]]
    """Runs from when all parts are ready until they are stopped."""


async def supervise(supervisor: Supervisor, hooks: Hooks) -> None:
    """Start, run until SIGTERM, SIGINT or SIGHUP, then stop; a second signal kills all parts.

    Raises ``DevstackError`` when a part does not start, after all others have been stopped.
    """
    asked = _listen(supervisor)
    start = asyncio.create_task(supervisor.start())
    interrupted = asyncio.create_task(asked.wait())
    maintenance: asyncio.Future[None] | None = None
    try:
        await asyncio.wait({start, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            hooks.on_ready()
            maintenance = asyncio.ensure_future(hooks.maintain())
            await interrupted
    finally:
        hooks.on_stopping()
        for task in (start, interrupted, maintenance):
            if task is not None:
                task.cancel()
        await asyncio.gather(start, return_exceptions=True)
        await supervisor.stop()


def _listen(supervisor: Supervisor) -> asyncio.Event:
    asked = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            supervisor.kill()
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return asked


def _check_order(plan: Mapping[str, Part | Step]) -> None:
    placed: set[str] = set()
    while len(placed) < len(plan):
        ready = {name for name, item in plan.items() if name not in placed and placed.issuperset(item.needs)}
        if not ready:
            raise DevstackError(f"These parts need each other in a circle: {sorted(plan.keys() - placed)}.")
        placed |= ready


def _first(failures: ExceptionGroup[DevstackError]) -> DevstackError:
    found: list[DevstackError] = []

    def collect(group: ExceptionGroup[DevstackError]) -> None:
        for error in group.exceptions:
            collect(error) if isinstance(error, ExceptionGroup) else found.append(error)

    collect(failures)
    return next((error for error in found if isinstance(error, PartFailed)), found[0])
