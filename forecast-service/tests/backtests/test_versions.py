"""Back-tests while versions of two algorithms take turns at the lease: no job mixes them, and none lacks an origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from castor_chassis import Postgres, Wakeup
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import until
from forecast_service.backtests.evaluation import origins_of
from forecast_service.backtests.model import OriginResult, Plan
from forecast_service.backtests.repository import BacktestRepository
from forecast_service.backtests.worker import BacktestRunner

from .test_evaluation import PLAN

PLACES = origins_of(PLAN, 20)
DONE, WAITING = ("done", len(PLACES)), ("waiting", 0)


class Jobs:
    """Runs jobs whose origins hold no forecasts, and notes which were asked for; ``losing`` are deleted once made."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.stored = BacktestRepository(postgres)
        self.runner = self.runner_of(self.stored)
        self.made: list[int] = []
        self.losing: list[int] = []

    def runner_of(self, stored: BacktestRepository) -> BacktestRunner:
        """A runner of whatever algorithm."""
        return BacktestRunner(stored, self, Wakeup(), minimum_days=20)  # type: ignore[arg-type]

    async def run(self, _: Any, __: Plan, place: int) -> OriginResult:
        """In place of processes: note the place."""
        self.made.append(place)
        if self.losing and place == PLACES[-1]:
            await self.postgres.execute("DELETE FROM backtest_origins WHERE place = ANY($1::int[])", self.losing)
            self.losing = []
        return OriginResult(place, [])

    async def queue(self, name: str, stored: BacktestRepository | None = None) -> None:
        """Ask for a job."""
        queued = await (stored or self.stored).add(name, PLAN, len(PLACES), asked_by="ana", most_open=4, most_of_one=1)
        assert queued is not None

    async def is_(self, name: str, seen: tuple[str, int]) -> bool:
        """Whether a job is read in that state, with so many origins done; no other is reported."""
        job = await self.stored.get(name)
        return job is not None and (job.state, job.done) == seen == (job.state, len(await self.stored.results(name)))

    async def earlier_version(self, name: str, places: list[int]) -> None:
        """Do what the runner does that knows no algorithms: store origins and end the job."""
        columns = "backtest_origins (backtest_id, place, result)"
        statement = f"INSERT INTO {columns} VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        for place in places:
            await self.postgres.execute(statement, name, place, {"place": place, "made": []})
        await self.postgres.execute("UPDATE backtests SET state = 'done', asked_by = '' WHERE id = $1", name)


@pytest.fixture
async def jobs(postgres_url: str) -> AsyncIterator[Jobs]:
    """No job, on a migrated database."""
    await migrate(postgres_url, "forecast_service")
    postgres = Postgres(postgres_url)
    await postgres.open()
    await postgres.execute("TRUNCATE backtests CASCADE")
    yield Jobs(postgres)
    await postgres.close()


async def test_what_an_earlier_version_made_of_a_job_is_made_again(jobs: Jobs) -> None:
    """It computed a job of this algorithm and ended it: the job waits, and runs when this version has the lease."""
    await jobs.queue("new")
    await jobs.earlier_version("new", PLACES)
    assert await jobs.is_("new", WAITING)
    running = asyncio.create_task(jobs.runner.run())
    await until(lambda: jobs.is_("new", DONE))
    running.cancel()
    await jobs.earlier_version("new", PLACES)
    await jobs.stored.reopen()
    assert not await jobs.runner.step()
    assert jobs.made == PLACES
    assert await jobs.is_("new", DONE)


async def test_jobs_of_an_earlier_version_are_taken_over(jobs: Jobs) -> None:
    """One that waits, and one that lost origins while it ran and was ended, are made anew; a whole one stays."""
    for name, places in (("waits", []), ("short", PLACES[:3]), ("whole", PLACES)):
        await jobs.queue(name)
        await jobs.postgres.execute("UPDATE backtests SET algorithm = 0 WHERE id = $1", name)
        await jobs.earlier_version(name, places)
    await jobs.postgres.execute("UPDATE backtests SET state = 'waiting' WHERE id = 'waits'")
    await jobs.stored.reopen()
    assert [await jobs.runner.step() for _ in range(3)] == [True, True, False]
    assert jobs.made == [*PLACES, *PLACES]
    for name in ("waits", "short", "whole"):
        assert await jobs.is_(name, DONE), name


async def test_a_job_ends_when_every_origin_is_stored(jobs: Jobs) -> None:
    """Origins that are deleted while it runs, as a migration does, are made again before its end."""
    await jobs.queue("new")
    jobs.losing = PLACES[:2]
    await jobs.runner.step()
    assert jobs.made == [*PLACES, *PLACES[:2]]
    assert await jobs.is_("new", DONE)


async def test_jobs_of_a_later_version_are_left_to_it(jobs: Jobs) -> None:
    """After a rollback they take nobody's place, and wait for the version that they are of, at most 30 days."""
    later = BacktestRepository(jobs.postgres, algorithm=1_000)
    await jobs.queue("later", later)
    await jobs.queue("now")
    assert [await jobs.runner.step(), await jobs.runner.step()] == [True, False]
    assert (await jobs.is_("now", DONE), await jobs.is_("later", WAITING)) == (True, True)
    await jobs.runner_of(later).step()
    assert await jobs.is_("later", DONE)
    await jobs.queue("late", later)
    await jobs.stored.forget(0)
    assert await jobs.stored.get("late") is None
