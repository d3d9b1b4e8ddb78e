"""The pool: each question once, bounded, and healed after a crash."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from castor_chassis import Unavailable
from forecast_service.forecasts.model import Question
from forecast_service.forecasts.pool import ForecastPool
from forecast_service.processes import WAITING_PER_PROCESS, Processes


def question(number: int) -> Question:
    return Question(values=(40.0, 60.0 + number / 1000, 50.0) * 7, horizon=3, method="naive")


def fits() -> float:
    return REGISTRY.get_sample_value("castor_forecast_seconds_count") or 0.0


@pytest.fixture
async def processes() -> AsyncIterator[Processes]:
    made = Processes(1)
    yield made
    made.close()


@pytest.fixture
def pool(processes: Processes) -> ForecastPool:
    return ForecastPool(processes, remembered=3)


async def test_a_question_is_answered_once(pool: ForecastPool) -> None:
    """Callers of one question share its fit, at the same time and later, until it is forgotten."""
    before = fits()
    answers = await asyncio.gather(*(pool.forecast(question(0)) for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert await pool.forecast(question(0)) == answers[0]
    assert fits() - before == 1
    for number in range(1, 4):
        await pool.forecast(question(number))
    await pool.forecast(question(0))
    assert fits() - before == 5


async def test_the_loop_goes_on_while_a_process_computes(pool: ForecastPool) -> None:
    """Nothing of a fit runs in this process."""
    made = asyncio.create_task(pool.forecast(question(0)))
    turns = 0
    while not made.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 3
    assert (await made).method == "naive"


async def test_too_many_questions_are_refused(pool: ForecastPool) -> None:
    """What would wait for minutes is refused with a time to come back; the rest is answered."""
    asked = [pool.forecast(question(number)) for number in range(WAITING_PER_PROCESS + 10)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(refused) == 10
    assert sum(not isinstance(answer, BaseException) for answer in answers) == WAITING_PER_PROCESS


async def test_a_process_that_dies_is_replaced(pool: ForecastPool, processes: Processes) -> None:
    """Callers get 503 once; the next question is answered by a new process."""
    await pool.forecast(question(0))
    (process,) = processes.process_ids
    os.kill(process, signal.SIGKILL)
    with pytest.raises(Unavailable):
        while True:
            await pool.forecast(Question(values=(1.0, 2.0) * 10, horizon=1, level=0.5 + fits() / 1e6, method="naive"))
            await asyncio.sleep(0.01)
    assert len((await pool.forecast(question(1))).values) == 3
