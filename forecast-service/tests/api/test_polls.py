"""Averages of posted polls over real TLS, as JSON and as CSV."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import RunningService, TokenIssuer
from forecast_service.errors import UnusablePolls
from forecast_service.polls.model import Poll, PollSet
from forecast_service.polls.repository import PollSetRepository

AS_OF = "2026-05-30T15:00:00Z"
CSV = "pollster,until,sample_size,Ana Ruiz,Iván Peña,Rosa\n" + "".join(
    f"{'Alfa' if day % 2 else 'Beta'},2026-05-{day:02},1200,{36 + day / 5},{22 - day / 10},{7 if day < 3 else ''}\n"
    for day in range(1, 21)
)


def as_json(text: str = CSV) -> list[dict[str, Any]]:
    """Return the polls of a CSV file as JSON has them."""
    header, *rows = (line.split(",") for line in text.strip().splitlines())
    return [
        {
            "pollster": pollster, "until": until, "sample_size": int(size),
            "shares": {name: float(cell) if cell else None for name, cell in zip(header[3:], cells, strict=True)},
        }
        for pollster, until, size, *cells in rows
    ]  # fmt: skip


async def post_csv(service: RunningService, text: str, **params: Any) -> tuple[int, dict[str, Any]]:
    answer = await service.client.post(
        "/v1/forecast/polls", content=text, params={"as_of": AS_OF, **params}, headers={"Content-Type": "text/csv"}
    )
    return answer.status_code, answer.json()


async def test_json_and_csv_are_one_answer(service: RunningService) -> None:
    """Both forms, in any order of the polls, give the same averages, the largest first."""
    status, body = await post_csv(service, CSV)
    data = body["data"]
    assert status == 200, body
    posted = await service.client.post("/v1/forecast/polls", json={"polls": as_json()[::-1]}, params={"as_of": AS_OF})
    assert posted.json()["data"] == data
    assert [one["candidate"] for one in data["candidates"]] == ["Ana Ruiz", "Iván Peña"]
    assert (data["too_few"], data["polls"], data["data_age_days"]) == (["Rosa"], 20, 9)
    assert data["notes"] == ["polls_share_errors", "conversation_is_not_votes"]
    assert data["candidates"][0]["days"][-1]["date"] == "2026-05-29"
    assert 0 <= data["coverage"] <= 1


async def test_a_level_is_a_width(service: RunningService) -> None:
    """The band of 95 % contains that of 50 %."""
    answers = [await post_csv(service, CSV, level=level) for level in (0.5, 0.95)]
    narrow, wide = (body["data"]["candidates"][0] for _, body in answers)
    assert wide["low"] < narrow["low"] < narrow["share"] < narrow["high"] < wide["high"]


async def test_nothing_later_than_as_of_is_used(service: RunningService) -> None:
    """Polls of later days change nothing but their count."""
    early = "\n".join(CSV.splitlines()[:11])
    data = (await post_csv(service, CSV, as_of="2026-05-11T12:00:00Z"))[1]["data"]
    alone = (await post_csv(service, early, as_of="2026-05-11T12:00:00Z"))[1]["data"]
    assert data["later_polls"] == 10
    assert data == {**alone, "later_polls": 10}


async def test_few_and_old_polls_say_so(service: RunningService) -> None:
    """Four polls two months ago: the average ends with the last of them, and the notes say both."""
    text = "\n".join(CSV.splitlines()[:5])
    data = (await post_csv(service, text, as_of="2026-08-01T12:00:00Z"))[1]["data"]
    assert data["notes"][:2] == ["few_polls", "stale"]
    assert data["candidates"][0]["days"][-1]["date"] == "2026-05-04"
    assert data["coverage"] is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\n".join(CSV.splitlines()[:3]), "too_few_polls"),
        (CSV.replace("1200", "1200000000"), "unusable_polls"),
        (CSV + "Alfa,2019-01-01,1000,20,20,\n", "unusable_polls"),
        ("pollster,until,sample_size," + ",".join(f"c{at}" for at in range(21)) + "\nx,2026-05-01,900" + ",2" * 21,
         "unusable_polls"),
        ("\x00\x01", "unusable_polls"),
    ],
)  # fmt: skip
async def test_what_cannot_be_averaged_is_refused(service: RunningService, text: str, code: str) -> None:
    """Two polls, an impossible sample, years between polls, too many candidates, no table at all."""
    status, body = await post_csv(service, text)
    assert (status, body["code"]) == (422, code)


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        ("{}", "application/json", 422, "validation_error"),
        ('{"polls": [{"pollster": "x", "until": "2026-05-01", "sample_size": true, "shares": {"a": 1}}]}',
         "application/json", 422, "validation_error"),
        ('{"polls": [', "application/json", 400, "malformed_request"),
        ("<polls/>", "application/xml", 415, "unsupported_media_type"),
        ("", "text/csv", 422, "unusable_polls"),
    ],
)  # fmt: skip
async def test_other_bodies_are_refused(
    service: RunningService, content: str, content_type: str, status: int, code: str
) -> None:
    """Wrong JSON names its field, another type is 415, nothing at all has no header."""
    answer = await service.client.post(
        "/v1/forecast/polls", content=content, headers={"Content-Type": content_type}, params={"as_of": AS_OF}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["polls", "poll-sets?name=mayo", "polls/chart.svg"])
async def test_a_stranger_has_no_body_read(service: RunningService, path: str) -> None:
    """Without a valid token the answer is 401, whatever is sent and as which type."""
    bodies = [("pollster", "text/csv"), ("{}", "application/json"), ("<polls/>", "application/xml")]
    stranger = {"Authorization": "Bearer x.y.z"}
    answers = [
        await service.client.post(f"/v1/forecast/{path}", content=body, headers={**stranger, "Content-Type": kind})
        for body, kind in bodies
    ]
    assert [one.status_code for one in answers] == [401] * 3


@pytest.mark.parametrize("media_type", ["text/csv", "application/json"])
async def test_polls_are_read_off_the_event_loop(
    service: RunningService, media_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large body delays no other request."""
    threads = list[int]()

    def noted(_content: bytes) -> list[Poll]:
        threads.append(threading.get_ident())
        raise UnusablePolls(reason="it was read")

    for reader in ("polls_of", "_polls_of_json"):
        monkeypatch.setattr(f"forecast_service.api.posted_polls.{reader}", noted)
    answer = await service.client.post("/v1/forecast/polls", content=CSV, headers={"Content-Type": media_type})
    assert answer.json()["code"] == "unusable_polls"
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_kept_polls_are_averaged_again(service: RunningService) -> None:
    """Kept once however often and in which order they are posted; the average is that of posted polls."""
    keep = {"params": {"name": "Primera vuelta, Nariño"}}
    first = await service.client.post("/v1/forecast/poll-sets", json={"polls": as_json()}, **keep)
    again = await service.client.post("/v1/forecast/poll-sets", json={"polls": as_json()[::-1]}, **keep)
    kept = first.json()["data"]
    assert (first.status_code, again.json()["data"]) == (201, kept)
    assert (kept["name"], kept["polls"], kept["first_poll"], kept["last_poll"]) == (
        "Primera vuelta, Nariño", 20, "2026-05-01", "2026-05-20",
    )  # fmt: skip
    asked = await service.client.get(f"/v1/forecast/poll-sets/{kept['id']}", params={"as_of": AS_OF})
    assert asked.json()["data"] == (await post_csv(service, CSV))[1]["data"]
    listed = await service.client.get("/v1/forecast/poll-sets")
    assert kept in listed.json()["data"]["items"]
    assert (await service.client.delete(f"/v1/forecast/poll-sets/{kept['id']}")).json()["data"] == kept
    gone = await service.client.get(f"/v1/forecast/poll-sets/{kept['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "poll_set_not_found")


async def test_kept_polls_are_the_organisations(service: RunningService, issuer: TokenIssuer) -> None:
    """Another organisation neither reads, lists nor deletes them, and keeps the same polls for itself."""
    post = {"json": {"polls": as_json()}, "params": {"name": "mayo"}}
    kept = (await service.client.post("/v1/forecast/poll-sets", **post)).json()["data"]
    path, mine = f"/v1/forecast/poll-sets/{kept['id']}", service.client.headers["Authorization"]
    service.client.headers["Authorization"] = f"Bearer {issuer.user_token(['forecasts:read'], org='otra')}"
    assert [(await service.client.request(method, path)).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert (await service.client.get("/v1/forecast/poll-sets")).json()["data"]["items"] == []
    assert (await service.client.post("/v1/forecast/poll-sets", **post)).json()["data"]["id"] == kept["id"]
    assert (await service.client.delete(path)).status_code == 200
    service.client.headers["Authorization"] = mine
    assert (await service.client.get(path, params={"as_of": AS_OF})).status_code == 200


async def test_polls_are_kept_within_a_bound(postgres_url: str) -> None:
    """The set after the last that an organisation may keep is refused; one that it has already is not."""
    await migrate(postgres_url, "forecast_service")
    pool = Postgres(postgres_url)
    await pool.open()
    sets = PollSetRepository(pool)
    made = [PollSet(f"{number:032x}", "x", (), datetime.now(UTC)) for number in range(3)]
    found = [await sets.add("org", one, most=2) for one in (*made, made[0])]
    await pool.close()
    assert [one and one.id for one in found] == [made[0].id, made[1].id, None, made[0].id]


async def test_listed_sets_are_counted_by_the_database(postgres_url: str) -> None:
    """A list holds no polls, but their number and their first and last day."""
    await migrate(postgres_url, "forecast_service")
    pool = Postgres(postgres_url)
    await pool.open()
    days = [(date(2026, 5, 3), date(2026, 5, 4)), (date(2026, 4, 30), date(2026, 5, 9))]
    polls = tuple(Poll("Alfa", since, until, 900, (("Ana", 40.0),)) for since, until in days)
    kept = await PollSetRepository(pool).add("contada", PollSet("0" * 32, "x", polls, datetime.now(UTC)), most=9)
    listed = await PollSetRepository(pool).find("contada", "", 9)
    await pool.close()
    assert kept is not None
    assert [(one.polls, one.first_poll, one.last_poll) for one in listed] == [(2, days[1][0], days[1][1])]
    assert listed == [kept.summary]


async def test_unusable_polls_are_not_kept(service: RunningService) -> None:
    """What could not be averaged is refused before it is stored."""
    wrong = [{**as_json()[0], "shares": {"Ana": 0.4, "Luis": 0.2}}]
    answer = await service.client.post("/v1/forecast/poll-sets", json={"polls": wrong}, params={"name": "falsa"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unusable_polls")
    listed = (await service.client.get("/v1/forecast/poll-sets")).json()["data"]["items"]
    assert "falsa" not in [kept["name"] for kept in listed]
