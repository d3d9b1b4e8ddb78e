"""Fits in a bounded pool of processes, off the event loop, each question once while it is remembered."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from castor_chassis import Unavailable
from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.model import Forecast, Question
from forecast_service.metrics import PREDICTIONS, SECONDS, SKILL

WAITING_PER_PROCESS = 16
_PRELOADED = ["forecast_service.forecasts.forecaster", "statsforecast.models"]
_FIRST = Question(values=(40.0, 60.0, 50.0) * 10, horizon=7)


class ForecastPool:
    """Makes forecasts in ``processes`` processes and remembers ``remembered`` of them by a hash of the question.

    A question that is being answered is not asked again: its callers share the answer.
    """

    def __init__(self, *, processes: int, remembered: int) -> None:
        self._processes = processes
        self._remembered = remembered
        self._answers: OrderedDict[str, asyncio.Task[Forecast]] = OrderedDict()
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

    def warm_up(self) -> None:
        """Start a process and load the libraries in it; blocks for seconds."""
        self._executor.submit(forecast, _FIRST).result()

    def close(self) -> None:
        """End the processes; what is still being computed is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def forecast(self, question: Question) -> Forecast:
        """Return the answer, remembered or fresh; raises ``Unavailable`` when too many questions wait already."""
        key = hashlib.sha256(repr(question).encode()).hexdigest()
        task = self._answers.get(key)
        if task is None:
            self._refuse_when_full()
            self._waiting += 1
            task = self._answers[key] = asyncio.create_task(self._fresh(question))
            task.add_done_callback(lambda done: self._settle(key, done))
        self._answers.move_to_end(key)
        # One caller that goes away does not end the work of the others.
        return await asyncio.shield(task)

    def _refuse_when_full(self) -> None:
        if self._waiting >= self._processes * WAITING_PER_PROCESS:
            raise Unavailable(reason="too many forecasts are being made", retry_after_seconds=2)

    async def _fresh(self, question: Question) -> Forecast:
        executor = self._executor
        try:
            with SECONDS.time():
                made = await asyncio.get_running_loop().run_in_executor(executor, forecast, question)
        except BrokenProcessPool as error:
            if self._executor is executor:
                self._executor = self._start()
            raise Unavailable(reason="a forecasting process ended", retry_after_seconds=2) from error
        PREDICTIONS.labels(made.method).inc()
        if made.skill is not None:
            SKILL.observe(made.skill)
        return made

    def _settle(self, key: str, done: asyncio.Task[Forecast]) -> None:
        self._waiting -= 1
        if done.cancelled() or done.exception() is not None:
            self._answers.pop(key, None)
        while len(self._answers) > self._remembered:
            self._answers.popitem(last=False)
