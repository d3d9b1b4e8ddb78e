"""SQL of the tables ``backtests`` and ``backtest_origins``."""

from __future__ import annotations

import asyncpg
from pydantic import TypeAdapter

from castor_chassis import Postgres
from forecast_service.backtests.model import Backtest, OriginResult, Plan
from forecast_service.forecasts.service import ALGORITHM

_PLAN, _RESULT = TypeAdapter(Plan), TypeAdapter(OriginResult)
# An earlier version of the service, which may run beside this one for minutes, stores origins of algorithm 0 and may
# end a job that lacks some: they do not count, and the job waits.
_DONE = "(SELECT count(*) FROM backtest_origins AS o WHERE o.backtest_id = b.id AND o.algorithm = b.algorithm)"
_SHORT = f"b.state = 'done' AND {_DONE} < b.total"
_COLUMNS = f"""
id, plan, total, error, created_at, updated_at, {_DONE} AS done,
CASE WHEN {_SHORT} THEN 'waiting' ELSE state END AS state
"""
_OPEN = "state IN ('waiting', 'running')"
# One that failed may be asked for again; one that is done, or waits, stays as it is.
_ADD = f"""
INSERT INTO backtests AS b (id, plan, total, asked_by, algorithm) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET
    asked_by = CASE WHEN b.state = 'failed' THEN excluded.asked_by ELSE b.asked_by END,
    state = CASE WHEN b.state = 'failed' THEN 'waiting' ELSE b.state END, error = NULL
RETURNING {_COLUMNS}
"""

# A job that is stored, and not to be done again, takes no place.
_HAS_ROOM = f"""
SELECT count(*) < $3 AND count(*) FILTER (WHERE asked_by = $2) < $4
       OR EXISTS (SELECT FROM backtests WHERE id = $1 AND state <> 'failed')
FROM backtests WHERE {_OPEN} AND algorithm <= $5
"""


# One that the algorithm before this stored is made again.
_KEEP = """
INSERT INTO backtest_origins AS o (backtest_id, place, result, algorithm) VALUES ($1, $2, $3, $4)
ON CONFLICT (backtest_id, place) DO UPDATE SET result = excluded.result, algorithm = excluded.algorithm
WHERE o.algorithm <> excluded.algorithm
"""


class BacktestRepository:
    """Stores back-tests of one algorithm. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away.

    Jobs of later algorithms are left to the versions that have them.
    """

    def __init__(self, postgres: Postgres, algorithm: int = ALGORITHM) -> None:
        self._postgres = postgres
        self._algorithm = algorithm

    async def add(
        self, backtest_id: str, plan: Plan, total: int, *, asked_by: str, most_open: int, most_of_one: int
    ) -> Backtest | None:
        """Store a job once, or return the one that is stored.

        None when it would have to wait, and ``most_open`` others do or ``most_of_one`` of whoever asks.
        """
        async with self._postgres.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('backtests'))")
            asked = (backtest_id, asked_by, most_open, most_of_one, self._algorithm)
            if not await connection.fetchval(_HAS_ROOM, *asked):
                return None
            planned = _PLAN.dump_python(plan, mode="json")
            row = await connection.fetchrow(_ADD, backtest_id, planned, total, asked_by, self._algorithm)
        assert row is not None, "both an insert and an update return their row"
        return _backtest(row)

    async def get(self, backtest_id: str) -> Backtest | None:
        """Return a job, or None."""
        row = await self._postgres.fetchrow(f"SELECT {_COLUMNS} FROM backtests AS b WHERE id = $1", backtest_id)
        return None if row is None else _backtest(row)

    async def results(self, backtest_id: str) -> list[OriginResult]:
        """Return what is done of a job, oldest origin first."""
        rows = await self._postgres.fetch(
            "SELECT result FROM backtest_origins AS o JOIN backtests AS b ON b.id = o.backtest_id"
            " WHERE b.id = $1 AND o.algorithm = b.algorithm ORDER BY place",
            backtest_id,
        )
        return [_RESULT.validate_python(row["result"]) for row in rows]

    async def next_open(self) -> Backtest | None:
        """Return the job that waits longest, begun or not."""
        row = await self._postgres.fetchrow(
            f"SELECT {_COLUMNS} FROM backtests AS b WHERE {_OPEN} AND algorithm <= $1 ORDER BY created_at, id LIMIT 1",
            self._algorithm,
        )
        return None if row is None else _backtest(row)

    async def take(self, backtest_id: str, total: int) -> None:
        """Note that a job is of this algorithm from now on, and how many origins it has; others' count no more."""
        await self._postgres.execute(
            "UPDATE backtests SET algorithm = $2, total = $3 WHERE id = $1", backtest_id, self._algorithm, total
        )

    async def reopen(self) -> None:
        """Let jobs wait that were ended and lack origins of their algorithm."""
        await self._postgres.execute(f"UPDATE backtests AS b SET state = 'waiting', updated_at = now() WHERE {_SHORT}")

    async def keep(self, backtest_id: str, result: OriginResult) -> None:
        """Store the result of one origin; one that this algorithm stored already is left as it is."""
        made = _RESULT.dump_python(result, mode="json")
        async with self._postgres.transaction() as connection:
            await connection.execute(_KEEP, backtest_id, result.place, made, self._algorithm)
            await connection.execute(
                f"UPDATE backtests SET state = 'running', updated_at = now() WHERE id = $1 AND {_OPEN}", backtest_id
            )

    async def end(self, backtest_id: str, error: str | None) -> None:
        """Note that a job is done, or why it failed."""
        await self._postgres.execute(
            "UPDATE backtests SET state = $2, error = $3, asked_by = '', updated_at = now() WHERE id = $1",
            backtest_id, "done" if error is None else "failed", error,
        )  # fmt: skip

    async def forget(self, days: int) -> None:
        """Delete jobs that ended more than ``days`` days ago, or wait as long for a later version."""
        await self._postgres.execute(
            f"DELETE FROM backtests WHERE (NOT {_OPEN} OR algorithm > $2)"
            " AND updated_at < now() - make_interval(days => $1)",
            days, self._algorithm,
        )  # fmt: skip


def _backtest(row: asyncpg.Record) -> Backtest:
    return Backtest(**{**dict(row), "plan": _PLAN.validate_python(row["plan"])})
