"""Work for a processor in a bounded pool of processes, off the event loop."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from castor_chassis import Unavailable

WAITING_PER_PROCESS = 16
_PRELOADED = ["forecast_service.forecasts.forecaster", "statsforecast.models"]
P = ParamSpec("P")
T = TypeVar("T")


class Processes:
    """Runs functions in ``processes`` processes; ``WAITING_PER_PROCESS`` calls a process may wait or run."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._waiting = 0
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # The fork server imports the libraries once; a process forked from it is ready in milliseconds.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        return ProcessPoolExecutor(self._processes, mp_context=context)

    @property
    def process_ids(self) -> list[int]:
        """The processes that were started so far."""
        return list(self._executor._processes or ())

    def run_blocking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a process and wait for it."""
        return self._executor.submit(function, *args, **kwargs).result()

    def close(self) -> None:
        """End the processes; what is still being computed is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def refuse_when_full(self) -> None:
        """Raise ``Unavailable`` when too many calls wait already."""
        if self._waiting >= self._processes * WAITING_PER_PROCESS:
            raise Unavailable(reason="too many forecasts are being made", retry_after_seconds=2)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the function returns in a process; raises ``Unavailable`` when too many calls wait."""
        self.refuse_when_full()
        executor = self._executor
        self._waiting += 1
        try:
            return await asyncio.wrap_future(executor.submit(function, *args, **kwargs))
        except BrokenProcessPool as error:
            if self._executor is executor:
                self._executor = self._start()
            raise Unavailable(reason="a forecasting process ended", retry_after_seconds=2) from error
        finally:
            self._waiting -= 1
