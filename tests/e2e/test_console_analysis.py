"""What an analyst does in the console with numbers: look back, suppose, compare with polls, and be told of news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.testing_system import System

from .console_kit import EMAIL, Visit, csv, number, password_of, visiting

pytestmark = pytest.mark.timeout(600)
WEEK = "?desde=2026-05-23&hasta=2026-05-29"
ENTITY = "mariana-restrepo"
POLLS = "pollster,until,sample_size,Ana,Luis\n" + "".join(
    f"{house},2026-05-{day:02},1200,{30 + day / 4},{28 - day / 9}\n"
    for day, house in enumerate(("Invamer", "CNC", "Guarumo") * 3, start=1)
)


def news(path: Path) -> Path:
    """Write a month of quiet talk up to now, and one topic that rises in its last hour."""
    now = datetime.now(UTC)
    talk = [(timedelta(days=day, hours=n), f"agua luz vereda{day}x{n}") for day in range(1, 28) for n in range(6)]
    rise = [(timedelta(minutes=3 * n + 1), f"#PuenteDeHonda barrio{'abcdefghijklmn'[n]}") for n in range(14)]
    rows = (
        f"{2**60 + 5000 + n},cuenta_{n},{now - age:%Y-%m-%dT%H:%M:%SZ},{text}"
        for n, (age, text) in enumerate(talk + rise)
    )
    path.write_text("id,username,created_at,text\n" + "\n".join(rows) + "\n")
    return path


def test_quiet_days_at_the_end_lead_to_the_last_day_with_trends(visit: Visit, api: Any) -> None:
    """The sample ends without trends: the last day that has some is shown, and it is said; a chosen end is kept."""
    page = visit.open("#/tendencias")
    visit.says("no hubo nada fuera de lo habitual; se muestra el último día con tendencias")
    assert "28 may 2026" in page.inner_text("[data-state=earlier]")
    topics = api("/v1/trending/topics?as_of=2026-05-29T05:00:00Z&window_hours=24&limit=20")["items"]
    shown = [text.split(maxsplit=1)[1] for text in page.locator("section.card h2").all_inner_texts()]
    assert shown == [topic["topic"] for topic in topics]
    chosen = visit.open("#/tendencias?hasta=2026-05-31")
    assert chosen.locator("[data-state=earlier], section.card h2").count() == 0


def test_the_numbers_of_other_views_are_those_of_the_api(visit: Visit, api: Any) -> None:
    """A candidate's index, the difference of two, what is stored and classified, and the budget of X."""
    span = {
        entity: api(f"/v1/forecast/icce?entity={entity}&as_of=2026-05-30T05:00:00Z&days_back=7")["span"]["icce"]
        for entity in (ENTITY, "alvaro-quintero")
    }
    page = visit.open(f"#/candidaturas/{ENTITY}{WEEK}")
    assert number(page.inner_text("[data-number=icce]")) == pytest.approx(span[ENTITY], abs=0.06)
    page = visit.open(f"#/comparar{WEEK}&e={ENTITY},alvaro-quintero")
    difference = span[ENTITY] - span["alvaro-quintero"]
    assert number(page.inner_text("[data-number=difference]").lstrip("+")) == pytest.approx(difference, abs=0.06)
    stored = api("/v1/twitter/scores/progress")
    told = visit.open("#/estado").locator('tr:has(th:text-is("Tuits")) td').last.inner_text()
    assert number(told.split(" ")[0]) == stored["tweets"] > 0
    budget = api("/v1/twitter/usage")["budgets"][0]
    row = visit.open("#/consumo").locator("tr", has_text="toda la cuenta de X").first.locator("td").all_inner_texts()
    assert number(row[3]) == budget["tweets_limit"] > 0


def test_a_scenario_is_that_of_the_api(visit: Visit, api: Any) -> None:
    """Moving the slider of sentiment shows the largest effect that forecast-service simulates; the address keeps it."""
    page = visit.open(f"#/pronostico/{ENTITY}{WEEK}")
    slider = page.locator("[data-slider=isn]")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    page.wait_for_selector("[data-state=scenario]")
    visit.settle()
    body = {"entity": ENTITY, "as_of": "2026-05-30T05:00:00Z", "sentiment_shift": 0.2, "days": 3}
    points = api("/v1/forecast/scenarios", "POST", body)["points"]
    effect = max((point["effect"]["value"] for point in points), key=abs)
    assert number(page.inner_text("[data-number=effect]").lstrip("+")) == pytest.approx(effect, abs=0.06)
    page.reload()
    page.wait_for_selector("[data-state=scenario]")
    assert page.locator("[data-slider=isn]").input_value() == "0.2"


def test_polls_stand_beside_the_forecast(visit: Visit, tmp_path: Path) -> None:
    """A file of polls gives their averages in a chart of its own, later polls are left out, and reloading keeps it."""
    file = tmp_path / "encuestas.csv"
    file.write_text(POLLS + "CNC,2026-06-03,1200,50,20\n")
    page = visit.open(f"#/pronostico/{ENTITY}{WEEK}")
    page.set_input_files("[data-polls]", file)
    visit.says("1 encuesta posterior al período no cuenta.")
    assert "9 encuestas" in page.inner_text("[data-state=polls]")
    names = page.locator("text=/^(Ana|Luis) \\d/")
    assert names.count() == 2
    page.reload()
    page.wait_for_selector("[data-state=polls]")
    page.get_by_role("button", name="Quitar").click()
    assert page.locator("[data-state=polls]").count() == 0


def test_a_time_line_has_what_happened_and_a_map(visit: Visit, api: Any) -> None:
    """The candidate's line marks the peaks of what was talked about; departments show counts, and tone on outlines."""
    page = visit.open(f"#/candidaturas/{ENTITY}{WEEK}")
    found = api(f"/v1/trending/topics?as_of=2026-05-30T05:00:00Z&window_hours=168&limit=3&entity={ENTITY}")["items"]
    told = page.locator("[data-moments] li").all_inner_texts()
    assert len(found) > 0
    assert all(any(f"«{topic['topic']}», {topic['tweets']} tuits" in line for line in told) for topic in found)
    page.click("[data-outlines]")
    assert page.locator("[data-place] path.outline").count() == 33
    assert page.locator("[data-place=valle-del-cauca] title").text_content().startswith("Valle del Cauca: n ")


def test_a_saved_view_is_in_every_browser(visit: Visit, browser: Any, url: str, sample: System) -> None:
    """What was saved in one browser restores its filters in another, until it is forgotten."""
    from playwright.sync_api import expect

    page = visit.open(f"#/explorar{WEEK}&q=represa")
    page.fill("#view-name", "Represa, última semana")
    page.click("[data-views] >> text=Guardar")
    visit.says("Represa, última semana")
    with visiting(browser, url) as other:
        other.page.goto(f"{url}/#/explorar")
        other.sign_in(EMAIL, password_of(sample, EMAIL))
        other.page.click("text=Represa, última semana")
        other.page.wait_for_url(f"**{WEEK}&q=represa")
        expect(other.page.locator("#q")).to_have_value("represa")
        other.page.click("[aria-label='Olvidar Represa, última semana']")
        other.page.get_by_text("Represa, última semana").wait_for(state="detached")


def test_an_answer_of_another_period_is_not_shown(visit: Visit) -> None:
    """What was answered for one period is taken away when another is chosen, and can be asked for again."""
    page = visit.open(f"#/preguntar{WEEK}&q=%C2%BFQu%C3%A9%20se%20dice%20de%20la%20represa?")
    page.locator("blockquote").first.wait_for(timeout=60_000)
    assert page.input_value("#question").endswith("represa?")
    page.select_option("select[aria-label=Duración]", "30")
    page.select_option("select[aria-label=Duración]", "7")
    assert page.locator("blockquote").count() > 0
    page.fill("#until", "2026-05-20")
    visit.says("Cambió el período o el filtro")
    assert page.locator("blockquote").count() == 0


def test_a_data_set_is_shown_alone(visit: Visit, tmp_path: Path) -> None:
    """Files can be put into a data set; chosen, it alone is counted, in every view that follows."""
    page = visit.open("#/fuentes")
    page.fill("#dataset", "sondeo-cali")
    texts = (f"Mariana Restrepo en la plaza, mensaje {n}" for n in range(7))
    page.set_input_files("input[type=file]", csv(tmp_path / "d.csv", "2026-05-27", texts, 2**60 + 4000))
    visit.says("7 nuevas")
    page = visit.open(f"#/{WEEK}")
    everything = number(page.inner_text("[data-number=tweets]"))
    page.select_option("select[aria-label='Conjunto de datos']", "sondeo-cali")
    page.locator('[data-number=tweets]:text-is("7")').wait_for()
    assert everything > 7
    assert "datos=sondeo-cali" in page.url
    page.click("nav >> text=Explorar")
    page.wait_for_selector("article .text")
    assert page.locator("article .text").count() == 7


def test_a_watch_fires_and_trends_are_told_live(visit: Visit, tmp_path: Path) -> None:
    """Somebody who asked for new trends sees one in both views, minutes after it was stored, without reloading."""
    page = visit.open("#/alertas")
    page.fill("#w-name", "Lo nuevo")
    page.click("form button.primary")
    visit.says("Lo nuevo")
    live = page.context.new_page()
    live.goto(f"{visit.url}/#/tendencias")
    live.wait_for_selector("[data-live=true]", timeout=60_000)
    upload = page.context.new_page()
    upload.goto(f"{visit.url}/#/fuentes")
    upload.set_input_files("input[type=file]", news(tmp_path / "now.csv"))
    live.locator("[role=status] li", has_text="PuenteDeHonda").first.wait_for(timeout=120_000)
    page.locator("section.card", has_text="Lo nuevo").locator("li", has_text="PuenteDeHonda").first.wait_for(
        timeout=120_000
    )
