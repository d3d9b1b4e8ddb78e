"""Forecasts of posted series, of entities and of several entities, over real TLS."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from castor_chassis.testing import RunningService

AS_OF = "2026-05-30T15:00:00Z"
LAST = date(2026, 5, 29)


def series(values: list[float | None], last: date = LAST) -> list[dict[str, Any]]:
    """Return values as consecutive days up to ``last``."""
    first = last - timedelta(days=len(values) - 1)
    return [{"date": str(first + timedelta(days=place)), "value": value} for place, value in enumerate(values)]


def wavy(days: int) -> list[float | None]:
    """A weekly rhythm between 40 and 60 with some irregularity."""
    return [50 + 10 * (0, 0.8, 1, 0.4, -0.4, -1, -0.8)[day % 7] + (day * 37 % 11 - 5) / 5 for day in range(days)]


async def post(service: RunningService, items: list[dict[str, Any]], **more: Any) -> tuple[int, dict[str, Any]]:
    answer = await service.client.post("/v1/forecast/series", json={"items": items, "as_of": AS_OF, **more})
    return answer.status_code, answer.json()


async def test_a_posted_series_is_forecast(service: RunningService) -> None:
    """Two months of a weekly rhythm are forecast with skill, whatever the order of the days."""
    status, body = await post(service, series(wavy(60))[::-1], horizon_days=7)
    data = body["data"]
    assert (status, data["method"], data["notes"]) == (200, "ensemble", [])
    assert data["skill"] > 0.2
    assert 0.6 < data["coverage"] <= 1
    assert [point["date"] for point in data["points"]] == [str(LAST + timedelta(days=ahead)) for ahead in range(1, 8)]
    assert all(point["low"] < point["value"] < point["high"] for point in data["points"])
    assert (data["days_observed"], data["days_missing"], data["data_age_days"]) == (60, 0, 0)


async def test_gaps_are_counted_and_null_is_a_gap(service: RunningService) -> None:
    """Days that are left out and days without a value are missing alike."""
    items = series(wavy(60))
    del items[20:23]
    items[40]["value"] = None
    _, body = await post(service, items)
    assert (body["data"]["days_observed"], body["data"]["days_missing"]) == (56, 4)


async def test_months_of_gap_leave_the_skill_unknown(service: RunningService) -> None:
    """Three days after a gap of two months the answer claims no skill."""
    _, body = await post(service, series([*wavy(40), *[None] * 60, 50.0, 55.0, 48.0]))
    assert (body["data"]["method"], body["data"]["skill"], body["data"]["notes"]) == ("naive", None, ["skill_unknown"])


async def test_a_gap_in_the_back_tests_hides_what_follows(service: RunningService) -> None:
    """Five missing days a week ago: the answer counts them, keeps its skill, and the interval stays as wide as without.

    A bridge that knew what followed the gap would make the forecast sure of itself.
    """
    values = wavy(90)
    whole = (await post(service, series(values)))[1]["data"]
    status, body = await post(service, series([*values[:78], *[None] * 5, *values[83:]]))
    data = body["data"]
    assert (status, data["days_missing"], data["method"]) == (200, 5, "ensemble")
    widths = [[point["high"] - point["low"] for point in one["points"]] for one in (whole, data)]
    assert all(gap > 0.9 * known for known, gap in zip(*widths, strict=True))


async def test_a_level_that_shifted_last_week_is_said_and_covered(service: RunningService) -> None:
    """Four days after a jump of forty points the interval holds both levels."""
    calm = [30 + (day * 37 % 11 - 5) / 5 for day in range(60)]
    status, body = await post(service, series([*calm, 71.0, 69.0, 70.5, 70.0]), bounds={"lower": 0, "upper": 100})
    assert status == 200
    assert body["data"]["notes"][-1] == "recent_jump"
    assert all(point["low"] < 30 < 70 < point["high"] for point in body["data"]["points"])


async def test_an_old_series_says_how_old_it_is(service: RunningService) -> None:
    """Data that ends five days before is forecast from its end, and marked; a month is refused."""
    status, body = await post(service, series(wavy(60), date(2026, 5, 24)))
    data = body["data"]
    assert (status, data["data_age_days"], data["notes"]) == (200, 5, ["stale"])
    assert data["points"][0]["date"] == "2026-05-25"


async def test_zeros_with_one_event(service: RunningService) -> None:
    """Two months of zeros and a single one: nothing is forecast below zero, and zero stays possible."""
    status, body = await post(service, series([*[0.0] * 40, 1.0, *[0.0] * 19]))
    assert status == 200
    assert all(point["low"] == 0 <= point["value"] < 0.5 for point in body["data"]["points"])


async def test_negative_values_and_ten_years(service: RunningService) -> None:
    """A series below zero, ten years long, is forecast in its own unit."""
    values = [None if value is None else value - 1000 for value in wavy(3650)]
    status, body = await post(service, series(values))
    assert status == 200
    assert all(-1015 < point["value"] < -935 for point in body["data"]["points"])


async def test_bounds_hold(service: RunningService) -> None:
    """With bounds neither values nor intervals leave them."""
    values = [None if value is None else value / 60 for value in wavy(60)]
    _, body = await post(service, series(values), level=0.99, bounds={"lower": 0, "upper": 1.05})
    assert all(0 <= point["low"] < point["high"] <= 1.05 for point in body["data"]["points"])


@pytest.mark.parametrize(
    ("items", "more", "code"),
    [
        (series([1.0]), {}, "too_few_days"),
        (series([0.0] * 40), {}, "no_variation"),
        (series([75.0] * 40), {}, "no_variation"),
        (series(wavy(40)) + series([3.0]), {}, "unusable_series"),
        (series(wavy(40)), {"bounds": {"lower": 50, "upper": 60}}, "unusable_series"),
        ([*series([1.0], date(1990, 1, 1)), *series(wavy(40))], {}, "unusable_series"),
        (series(wavy(40), date(2026, 5, 1)), {}, "data_too_old"),
        (series(wavy(40), date(2027, 5, 1)), {}, "too_few_days"),
        (series(wavy(40)), {"as_of": "0001-01-01T00:00:00Z"}, "too_few_days"),
        (series(wavy(40)), {"as_of": "9999-12-31T23:59:59Z"}, "data_too_old"),
        (series(wavy(40), date(9999, 12, 31)), {"as_of": "9999-12-31T23:59:59Z"}, "too_few_days"),
    ],
)
async def test_what_cannot_be_forecast_is_refused(
    service: RunningService, items: list[dict[str, Any]], more: dict[str, Any], code: str
) -> None:
    """One point, no variation, a day twice, a value outside the bounds, a span too long, data too old or to come."""
    status, body = await post(service, items, **more)
    assert (status, body["code"]) == (422, code)


@pytest.mark.parametrize(
    "wrong",
    [
        {"date": "2026-05-29T23:00:00-05:00", "value": 1.0},
        {"date": "2026-05-29T00:00:00Z", "value": 1.0},
        {"date": 20602, "value": 1.0},
        {"date": "2026-02-30", "value": 1.0},
        {"date": "2026-05-29", "value": 1e300},
        {"date": "2026-05-29", "value": "12"},
    ],
)
async def test_a_day_is_a_day_and_a_value_is_a_number(service: RunningService, wrong: dict[str, Any]) -> None:
    """Moments are refused, not moved into a zone; so are numbers for days and days that do not exist."""
    status, body = await post(service, [*series(wavy(40))[:-1], wrong])
    assert (status, body["code"]) == (422, "validation_error")


@pytest.mark.parametrize("infinite", ["Infinity", "NaN", "1e999"])
async def test_infinity_is_no_value(service: RunningService, infinite: str) -> None:
    """Neither an infinite value nor one that is no number is taken."""
    content = '{"items": [{"date": "2026-05-29", "value": ' + infinite + "}]}"
    answer = await service.client.post(
        "/v1/forecast/series", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)


async def test_an_entity_is_forecast_without_being_stored(service: RunningService) -> None:
    """GET gives what POST gives, without an id; one method can be chosen."""
    read = await service.client.get("/v1/forecast/entities/ana", params={"as_of": AS_OF})
    made = await service.client.post("/v1/forecast/predictions", json={"entity": "ana", "as_of": AS_OF})
    stored = made.json()["data"]
    found = read.json()["data"]
    events = [(event["date"], event["kind"]) for event in found.pop("events")]
    assert found == {name: value for name, value in stored.items() if name != "id"}
    assert events == [("2026-05-31", "election"), ("2026-06-08", "holiday")]
    assert "conversation_is_not_votes" in stored["notes"]
    theta = await service.client.get("/v1/forecast/entities/ana", params={"as_of": AS_OF, "method": "theta"})
    assert theta.json()["data"]["weights"] == {"theta": 1.0}
    nobody = await service.client.get("/v1/forecast/entities/nobody")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "entity_not_found")


async def test_several_entities_are_compared_as_of_one_moment(service: RunningService) -> None:
    """Each has its forecast; one without recent data is named with the reason, and spoils nothing."""
    params = [("entity", name) for name in ("ana", "vieja", "constanza")]
    answer = await service.client.get("/v1/forecast/compare", params=[*params, ("as_of", AS_OF)])
    data = answer.json()["data"]
    assert [item["entity"] for item in data["items"]] == ["ana", "constanza"]
    assert data["refused"] == [{"entity": "vieja", "code": "data_too_old"}]
    assert {item["as_of"] for item in data["items"]} == {AS_OF.replace("Z", ".000Z")}
    one = await service.client.get("/v1/forecast/compare", params={"entity": "ana"})
    assert one.status_code == 422


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("path", ["entities/ana?", "momentum?entity=ana&", "compare?entity=ana&entity=vieja&"])
async def test_every_time_parameter_takes_both_ends_of_the_calendar(
    service: RunningService, path: str, as_of: str
) -> None:
    """Without data there is no answer, and no failure."""
    answer = await service.client.get(f"/v1/forecast/{path}as_of={as_of}")
    if path.startswith("compare"):
        assert answer.json()["data"]["refused"] == [
            {"entity": name, "code": "too_few_days"} for name in ("ana", "vieja")
        ]
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, "too_few_days")
