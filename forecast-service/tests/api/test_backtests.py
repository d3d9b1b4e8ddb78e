"""Back-tests as jobs over real TLS and PostgreSQL."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from castor_chassis import Postgres
from castor_chassis.testing import RunningService, until
from forecast_service.backtests.repository import BacktestRepository
from forecast_service.forecasts.service import ALGORITHM

from .test_forecasts import AS_OF, series, wavy

BACKTESTS = "/v1/forecast/backtests"


async def start(service: RunningService, **body: Any) -> tuple[int, dict[str, Any]]:
    asked = {"as_of": AS_OF, "methods": ["theta", "naive"], "origins": 4, "horizon_days": 3, **body}
    answer = await service.client.post(BACKTESTS, json=asked)
    return answer.status_code, answer.json()


async def ended(service: RunningService, backtest_id: str) -> dict[str, Any]:
    """Return the job once it has ended."""
    found: dict[str, Any] = {}

    async def is_over() -> bool:
        found.update((await service.client.get(f"{BACKTESTS}/{backtest_id}")).json()["data"])
        return found["state"] in ("done", "failed")

    await until(is_over)
    return found


async def test_an_entity_is_back_tested_with_progress_and_scores(service: RunningService) -> None:
    """The job is queued, runs in the background and reports scores by step; asked for again it is the same."""
    status, body = await start(service, entity="ana")
    job = body["data"]
    assert (status, job["total"]) == (202, 4)
    done = await ended(service, job["id"])
    assert (done["state"], done["done"], done["error"]) == ("done", 4, None)
    assert [score["method"] for score in done["scores"]] == ["theta", "naive"]
    assert done["scores"][1]["whole"]["skill"] == pytest.approx(0)
    assert [step["step"] for step in done["scores"][0]["steps"]] == [1, 2, 3]
    assert len(done["forecasts"]) == 12
    _, again = await start(service, entity="ana")
    assert again["data"] == done


async def test_a_posted_series_is_back_tested(service: RunningService) -> None:
    """Items in place of an entity; the method with the week in it beats the last value."""
    _, body = await start(service, items=series(wavy(60)), bounds={"lower": 0, "upper": 100}, origins=8)
    done = await ended(service, body["data"]["id"])
    assert done["scores"][0]["whole"]["skill"] > 0.2


async def test_a_job_goes_on_where_it_was_left(service: RunningService, postgres_url: str) -> None:
    """What is stored of a job is not computed again: a marked result stays."""
    _, body = await start(service, entity="ana", origins=2)
    done = await ended(service, body["data"]["id"])
    postgres = Postgres(postgres_url)
    await postgres.open()
    try:
        stored = (await BacktestRepository(postgres).results(done["id"]))[0]
        await postgres.execute("DELETE FROM backtest_origins WHERE place > $1", stored.place)
        await postgres.execute(
            "UPDATE backtest_origins SET result = jsonb_set(result, '{made,0,values,0}', '1') WHERE place = $1",
            stored.place,
        )
        await postgres.execute("UPDATE backtests SET state = 'running'")
        again = await ended(service, done["id"])
    finally:
        await postgres.close()
    assert again["done"] == 2
    assert again["forecasts"][0]["value"] == 1


async def test_another_algorithm_makes_another_job(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older algorithm of forecasts found is not answered to the same question."""
    _, before = await start(service, entity="ana", origins=1)
    monkeypatch.setattr("forecast_service.backtests.service.ALGORITHM", 1 + ALGORITHM)
    _, after = await start(service, entity="ana", origins=1)
    assert after["data"]["id"] != before["data"]["id"]


async def test_a_back_test_is_drawn(service: RunningService) -> None:
    """The words say how often the interval held; a step beyond the horizon and an unknown job are refused."""
    _, body = await start(service, items=series(wavy(60)), horizon_days=2)
    done = await ended(service, body["data"]["id"])
    chart = f"{BACKTESTS}/{done['id']}/chart.svg"
    drawn = await service.client.get(chart, params={"step": 2, "language": "en"})
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    second = done["scores"][0]["steps"][1]
    words = f"theta: the interval held {round(100 * second['coverage'])} % of {second['judged']} days"
    assert words in unquote(drawn.headers["chart-description"])
    far = await service.client.get(chart, params={"step": 3})
    assert (far.status_code, far.json()["code"]) == (422, "step_too_far")
    assert (await service.client.get(f"{BACKTESTS}/{'0' * 32}/chart.svg")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "validation_error"),
        ({"entity": "ana", "items": series([1.0])}, 422, "validation_error"),
        ({"entity": "ana", "bounds": {"lower": 0, "upper": 1}}, 422, "validation_error"),
        ({"entity": "nobody"}, 404, "entity_not_found"),
        ({"entity": "vieja"}, 422, "data_too_old"),
        ({"entity": "ana", "as_of": "2026-03-10T12:00:00Z"}, 422, "too_few_days"),
        ({"items": series([5.0] * 40)}, 422, "no_variation"),
        ({"items": series(wavy(14))}, 422, "too_few_origins"),
        ({"entity": "ana", "origins": 61}, 422, "validation_error"),
    ],
)
async def test_what_cannot_be_tested_is_refused(
    service: RunningService, body: dict[str, Any], status: int, code: str
) -> None:
    """Two subjects or none, and whatever cannot be forecast."""
    answer = await start(service, **body)
    assert (answer[0], answer[1]["code"]) == (status, code)


async def test_an_unknown_job_is_404(service: RunningService) -> None:
    """With what to do."""
    answer = await service.client.get(f"{BACKTESTS}/{'0' * 32}")
    assert (answer.status_code, answer.json()["code"]) == (404, "backtest_not_found")


async def test_a_picture_of_a_job_that_failed_says_why(service: RunningService, postgres_url: str) -> None:
    """Waiting would not help: the answer has the job's error, and says to ask again."""
    _, body = await start(service, items=series(wavy(50)), bounds={"lower": 0, "upper": 100}, origins=2)
    done = await ended(service, body["data"]["id"])
    postgres = Postgres(postgres_url)
    await postgres.open()
    await BacktestRepository(postgres).end(done["id"], "A forecast could not be made (KeyError).")
    await postgres.execute("DELETE FROM backtest_origins WHERE backtest_id = $1", done["id"])
    await postgres.close()
    answer = await service.client.get(f"{BACKTESTS}/{done['id']}/chart.svg")
    assert (answer.status_code, answer.json()["code"]) == (409, "backtest_failed")
    assert "could not be made (KeyError). Ask for it again" in answer.json()["error"]
