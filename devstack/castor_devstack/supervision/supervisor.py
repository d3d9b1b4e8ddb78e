"""Brings parts up in the order of their needs, keeps them up, takes them down in reverse."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from castor_devstack.errors import DevstackError, PartFailed
from castor_devstack.supervision.atomic_files import bound_log
from castor_devstack.supervision.processes import Part, Running, Step, ending, spawn
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import Home

Say = Callable[[str], None]

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 60.0
SLOW_AFTER_SECONDS = 15.0


class Supervisor:
    """Runs one plan; the only writer of the state file while it lives."""

    def __init__(self, home: Home, plan: Sequence[Part | Step], state: State, say: Say) -> None:
        self._home = home
        self._plan = {item.name: item for item in plan}
        self._state = state
        self._say = say
        self._running: dict[str, Running] = {}
        self._guards: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        _check_order(self._plan)

    async def start(self) -> None:
        """Bring everything up; raises ``DevstackError`` at the first part that fails."""
        done = {name: asyncio.Event() for name in self._plan}
        try:
            async with asyncio.TaskGroup() as group:
                for item in self._plan.values():
                    group.create_task(self._bring_up(item, done))
        except* DevstackError as failures:
            raise _first(failures) from None

    async def stop(self) -> None:
        """Take everything down: a part stops once those that need it have stopped."""
        self._stopping = True
        for guard in self._guards.values():
            guard.cancel()
        await asyncio.gather(*self._guards.values(), return_exceptions=True)
        stopped = {name: asyncio.Event() for name in self._plan}
        await asyncio.gather(*(self._take_down(name, stopped) for name in self._plan))

    def kill(self) -> None:
        """End all parts at once, for the person who cannot wait."""
        for running in self._running.values():
            running.signal(signal.SIGKILL)

    def restart(self, name: str) -> None:
        """Have a part start anew, as after a renewed certificate that it reads only at its start."""
        if name in self._running:
            self._running[name].signal(signal.SIGTERM)

    def trim_logs(self) -> None:
        """Bound the logs of the parts that write on."""
        for running in self._running.values():
            bound_log(running.part.log)

    async def _bring_up(self, item: Part | Step, done: Mapping[str, asyncio.Event]) -> None:
        for need in item.needs:
            await done[need].wait()
        began = time.monotonic()
        if isinstance(item, Step):
            await item.run()
        else:
            await self._launch(item)
            self._guards[item.name] = asyncio.create_task(self._guard(item))
        done[item.name].set()
        self._say(f"  {item.name:<28} ready {time.monotonic() - began:6.1f} s")

    async def _launch(self, part: Part) -> None:
        await part.prepare()
        running = Running(part, await spawn(part))
        self._running[part.name] = running
        self._record(part.name)
        waiting = asyncio.create_task(self._say_that_we_wait(part))
        try:
            await running.until_ready()
        finally:
            waiting.cancel()

    async def _say_that_we_wait(self, part: Part) -> None:
        while True:
            await asyncio.sleep(SLOW_AFTER_SECONDS)
            self._say(f"  {part.name:<28} is not ready yet: {await part.lacks()}")

    async def _guard(self, part: Part) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping:
            began = time.monotonic()
            code = await self._running[part.name].ended()
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - began > HEALTHY_AFTER_SECONDS else pause
            self._say(f"  {part.name} ended with {ending(code)}; it starts again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            await self._relaunch(part)

    async def _relaunch(self, part: Part) -> None:
        try:
            await self._launch(part)
        except Exception as error:  # whatever it is, the guard must live on
            self._say(f"  {error}")
        else:
            self._say(f"  {part.name} is back")

    async def _take_down(self, name: str, stopped: Mapping[str, asyncio.Event]) -> None:
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
    """What the owner of a supervisor wants to do at its turns."""

    ready: Callable[[], None]
    leave: Callable[[], None]
    tend: Callable[[], Awaitable[None]]
    """Runs beside the parts from when they are ready until they are stopped."""


async def supervise(supervisor: Supervisor, hooks: Hooks) -> None:
    """Start, stay until SIGTERM, SIGINT or SIGHUP, stop; a second signal kills instead of waiting.

    Raises ``DevstackError`` when a part does not start; all others have been stopped by then.
    """
    asked = _listen(supervisor)
    start = asyncio.create_task(supervisor.start())
    interrupted = asyncio.create_task(asked.wait())
    tending: asyncio.Future[None] | None = None
    try:
        await asyncio.wait({start, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            hooks.ready()
            tending = asyncio.ensure_future(hooks.tend())
            await interrupted
    finally:
        hooks.leave()
        for task in (start, interrupted, tending):
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
            raise DevstackError(f"These parts wait for each other for ever: {sorted(plan.keys() - placed)}.")
        placed |= ready


def _first(failures: ExceptionGroup[DevstackError]) -> DevstackError:
    found: list[DevstackError] = []

    def collect(group: ExceptionGroup[DevstackError]) -> None:
        for error in group.exceptions:
            collect(error) if isinstance(error, ExceptionGroup) else found.append(error)

    collect(failures)
    return next((error for error in found if isinstance(error, PartFailed)), found[0])
