"""Pictures of forecasts, comparisons and polls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from forecast_service.backtests.model import Backtest, Report
from forecast_service.charts.backtests import backtest_chart
from forecast_service.charts.drawing import draw
from forecast_service.charts.forecasts import Shown, comparison_chart, forecast_chart
from forecast_service.charts.model import Chart, Kind, Language, Picture
from forecast_service.charts.polls import poll_chart
from forecast_service.clients.twitter import TwitterClient
from forecast_service.errors import BacktestFailed, NothingTested, NothingToDraw, StepTooFar
from forecast_service.forecasts.model import Made
from forecast_service.forecasts.options import Options
from forecast_service.forecasts.service import ForecastService
from forecast_service.polls.model import PollAverage
from forecast_service.processes import Processes


@dataclass(frozen=True, slots=True)
class Look:
    """The file and the language of a picture."""

    kind: Kind
    language: Language


@dataclass(frozen=True, slots=True)
class ChartService:
    """Draws in ``processes``; names and colours of entities come from twitter-service."""

    forecasts: ForecastService
    twitter: TwitterClient
    processes: Processes

    async def forecast(
        self, entity: str, as_of: datetime | None, options: Options, dataset: str | None, look: Look
    ) -> Picture:
        """Draw a forecast of an entity; raises what ``ForecastService.forecast`` raises."""
        shown = await self._shown(await self.forecasts.made(entity, as_of, options, dataset))
        return await self._drawn(forecast_chart(shown, look.language), look)

    async def comparison(
        self, entities: Sequence[str], as_of: datetime | None, options: Options, dataset: str | None, look: Look
    ) -> Picture:
        """Draw forecasts of several entities; raises ``NothingToDraw`` where none has one.

        Raises also what ``ForecastService.compare`` raises.
        """
        compared = await self.forecasts.compare(entities, as_of, options, dataset)
        if not compared.made:
            codes = ", ".join(f"{entity}: {code}" for entity, code in compared.refused.items())
            raise NothingToDraw(reasons=codes)
        shown = await asyncio.gather(*map(self._shown, compared.made))
        names = [name for name, _ in await asyncio.gather(*map(self.twitter.name_and_colour, compared.refused))]
        return await self._drawn(comparison_chart(shown, names, look.language), look)

    async def polls(self, average: PollAverage, look: Look) -> Picture:
        """Draw averages of polls."""
        return await self._drawn(poll_chart(average, look.language), look)

    async def backtest(self, backtest: Backtest, report: Report, step: int, look: Look) -> Picture:
        """Draw the forecasts ``step`` days ahead of a back-test.

        Raises ``NothingTested`` while no origin is done, ``BacktestFailed`` where none will be, and ``StepTooFar``
        beyond its horizon.
        """
        if step > backtest.plan.horizon:
            raise StepTooFar(step=step, horizon=backtest.plan.horizon)
        if not report.forecasts and backtest.state == "failed":
            raise BacktestFailed(backtest_id=backtest.id, reason=backtest.error or "no reason is known.")
        if not report.forecasts:
            raise NothingTested(backtest_id=backtest.id, state=backtest.state, retry_after_seconds=2)
        return await self._drawn(backtest_chart(backtest, report, step, look.language), look)

    async def _shown(self, made: Made) -> Shown:
        name, colour = await self.twitter.name_and_colour(made.index.entity)
        return Shown(name, colour, made.index, made.prediction)

    async def _drawn(self, chart: Chart, look: Look) -> Picture:
        return await self.processes.run(draw, chart, look.kind)
