"""Forecasts made in processes, each question once while it is remembered."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict

from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.model import Forecast, Question
from forecast_service.metrics import PREDICTIONS, SECONDS, SKILL
from forecast_service.processes import Processes

_FIRST = Question(values=(40.0, 60.0, 50.0) * 10, horizon=7)


class ForecastPool:
    """Makes forecasts in ``processes`` and remembers ``remembered`` of them by a hash of the question.

    A question that is being answered is not asked again: its callers share the answer.
    """

    def __init__(self, processes: Processes, *, remembered: int) -> None:
        self._processes = processes
        self._remembered = remembered
        self._answers: OrderedDict[str, asyncio.Task[Forecast]] = OrderedDict()

    def warm_up(self) -> None:
        """Start a process and load the libraries in it; blocks for seconds."""
        self._processes.run_blocking(forecast, _FIRST)

    async def forecast(self, question: Question) -> Forecast:
        """Return the answer, remembered or fresh; raises ``Unavailable`` when too many questions wait already."""
        key = hashlib.sha256(repr(question).encode()).hexdigest()
        task = self._answers.get(key)
        if task is None:
            task = self._answers[key] = asyncio.create_task(self._fresh(question))
            task.add_done_callback(lambda done: self._settle(key, done))
        self._answers.move_to_end(key)
        # One caller that goes away does not end the work of the others.
        return await asyncio.shield(task)

    async def _fresh(self, question: Question) -> Forecast:
        self._processes.refuse_when_full()  # what is refused has no place in the times
        with SECONDS.time():
            made = await self._processes.run(forecast, question)
        PREDICTIONS.labels(made.method).inc()
        if made.skill is not None:
            SKILL.observe(made.skill)
        return made

    def _settle(self, key: str, done: asyncio.Task[Forecast]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._answers.pop(key, None)
        while len(self._answers) > self._remembered:
            self._answers.popitem(last=False)
