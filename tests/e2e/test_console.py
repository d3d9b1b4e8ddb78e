"""The console against the whole system, in a real browser."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.testing_system import System

from .console_kit import EMAIL, VIEWS, Visit, csv, number, password_of, visiting

pytestmark = pytest.mark.timeout(600)
WITHOUT_TWEETS = ("#/pronostico", "#/fuentes", "#/alertas", "#/consumo", "#/estado", "#/cuenta")
WEEK = "?desde=2026-05-23&hasta=2026-05-29"
PHONE_PIXELS = 320
PAPER_PIXELS = 672  # A4 without its margins, at 96 an inch.


def test_the_numbers_are_those_of_the_api(visit: Visit, api: Any) -> None:
    """Tweets of the period, each candidate's ICCE, share of voice and the forecast, as the services give them."""
    page = visit.open(f"#/{WEEK}")
    total = api("/v1/twitter/counts/total?since=2026-05-23&until=2026-05-29&as_of=2026-05-30T05:00:00Z")
    assert number(page.inner_text("[data-number=tweets]")) == total["tweets"] > 0
    people = api("/v1/twitter/entities")["items"]
    shown = {
        card.get_attribute("data-entity"): number(card.locator("[data-number=icce]").inner_text())
        for card in page.locator("[data-entity]").all()
    }
    assert shown.keys() == {person["id"] for person in people}
    for entity, icce in shown.items():
        series = api(f"/v1/forecast/icce?entity={entity}&as_of=2026-05-30T05:00:00Z&days_back=7")
        assert icce == pytest.approx(series["span"]["icce"], abs=0.06)
    ahead = api("/v1/forecast/entities/mariana-restrepo?as_of=2026-05-30T05:00:00Z&horizon_days=14&level=0.8")[
        "points"
    ][-1]
    heading = visit.open(f"#/pronostico/mariana-restrepo{WEEK}").locator("h2", has_text="[").inner_text()
    assert number(heading.split(": ")[1].split(" ")[0]) == pytest.approx(ahead["value"], abs=0.06)


def test_from_the_first_visit_to_a_cited_answer(browser: Any, url: str, sample: System) -> None:
    """A wrong password is told; then a question is answered, and a quote opens its source at the very words."""
    with visiting(browser, url) as visit:
        page = visit.page
        page.goto(url)
        page.click("main button.primary")
        visit.give(EMAIL, "not the password")
        visit.says("El correo o la contraseña no son correctos.")
        visit.give(EMAIL, password_of(sample, EMAIL))
        page.click("nav >> text=Preguntar")
        page.fill("#question", "¿Qué se dice de los contratos de la represa?")
        page.press("#question", "Enter")
        quote = page.locator("blockquote").first.inner_text(timeout=60_000).strip("“”")
        page.locator("article button").first.click()
        assert page.locator("[data-source] mark").inner_text(timeout=60_000) == quote
        page.reload()
        visit.says("Respuesta")


def test_from_an_upload_to_the_first_chart(visit: Visit, tmp_path: Path) -> None:
    """A file is taken with its rejected line named, and its tweets are on the overview that it leads to."""
    texts = (f"Mariana Restrepo en Cali, número {n}" for n in range(40))
    file = csv(tmp_path / "t.csv", "2024-03-05", texts, 2**60)
    file.write_text(file.read_text() + "no-number,x,2024-03-05T15:00:00Z,x\n")
    page = visit.open("#/fuentes")
    page.set_input_files("input[type=file]", file)
    visit.says("línea 42")
    assert "40 nuevas, 0 repetidas, 1 rechazadas" in page.inner_text("[data-state=imported]")
    page.click("text=Ver el panorama de estos datos")
    bars = page.locator('[aria-label="Tuits por día, Mariana Restrepo"] title')
    bars.first.wait_for(state="attached", timeout=60_000)
    assert bars.all_text_contents() == ["5 mar: 40"]
    assert number(page.inner_text("[data-number=tweets]")) == 40


def test_a_link_to_a_data_set_opens_on_its_own_days(visit: Visit, tmp_path: Path) -> None:
    """The address names a data set and no period: it is the days up to that one's newest tweet, not to that of all."""
    page = visit.open("#/fuentes")
    page.fill("#dataset", "octubre")
    file = csv(tmp_path / "o.csv", "2024-10-01", (f"Mariana, mensaje de octubre {n}" for n in range(5)), 2**60 + 3000)
    page.set_input_files("input[type=file]", file)
    visit.says("5 nuevas")
    page = visit.open("#/?datos=octubre")
    page.wait_for_selector('[data-number=tweets]:text-is("5")')


def test_a_search_of_x_is_the_one_whose_price_is_shown(visit: Visit, api: Any) -> None:
    """Whose price is shown is what twitter-service takes, and what is started, once; another text has no price."""
    with_key = {"ok": True, "data": {**api("/v1/twitter/usage"), "x_configured": True}}
    page = visit.page
    page.route("**/v1/twitter/usage", lambda route: route.fulfill(json=with_key))
    visit.open("#/fuentes")
    page.fill("#x-query", "la represa, Cañón")
    page.click("text=Vista previa del costo")
    visit.says("Falta la llave de X")  # read and understood, but this system has no key
    started: list[Any] = []
    price = {"tweets_to_read": 120, "usd": 0.6, "fits_budget": True}
    page.route("**/v1/twitter/searches/preview", lambda route: route.fulfill(json={"ok": True, "data": price}))
    page.click("text=Vista previa del costo")
    start = page.get_by_role("button", name="Buscar", exact=True)
    start.wait_for()
    assert "120" in page.inner_text("[data-state=price]")
    page.fill("#x-query", "otra cosa")
    assert start.count() == 0
    page.fill("#x-query", "la represa, Cañón")

    def queued(route: Any) -> None:
        started.append((route.request.post_data_json, route.request.headers["idempotency-key"]))
        route.fulfill(status=503 if len(started) == 1 else 202, json={"ok": len(started) > 1, "data": {"id": "1"}})

    page.route("**/v1/twitter/searches", queued)
    start.click()
    page.wait_for_selector(".notice.error")
    start.click()
    page.wait_for_selector("[data-state=started]")
    (first, key), again = started
    assert again == (first, key)
    assert first == {"any_of": ["la represa", "Cañón"], "max_tweets": 500}
    assert start.count() == 0
    visit.settle()


def test_hostile_texts_stay_texts(visit: Visit, tmp_path: Path) -> None:
    """Markup, a script and turned text in a tweet are shown letter by letter: in lists, in the report, in its file."""
    hostile = ['<img src=x onerror="alert(1)"> Mariana', "<script>alert(2)</script> Mariana", "\u202egnirts Mariana"]
    hostile.append("Mariana " + "x" * 3000)
    page = visit.open("#/fuentes")
    page.set_input_files("input[type=file]", csv(tmp_path / "x.csv", "2024-06-01", hostile, 2**60 + 1000))
    visit.says("4 nuevas")
    page = visit.open("#/explorar?desde=2024-06-01&hasta=2024-06-01")
    assert sorted(page.locator("article .text").all_inner_texts()) == sorted(text.strip() for text in hostile)
    assert page.locator("article img, article script").count() == 0
    visit.open("#/informe?desde=2024-06-01&hasta=2024-06-01")
    with page.expect_download() as given:
        page.click("text=Descargar como página")
    saved = Path(given.value.path()).read_text()
    assert "Método y advertencias" in saved
    assert "<script" not in saved
    assert "onerror=" not in saved.replace("&quot;", '"').split("<body")[1].replace("&lt;img src=x onerror=", "")


def test_what_waits_for_its_sentiment_is_said(visit: Visit, sample: System, tmp_path: Path) -> None:
    """While sentiment-service is stopped new tweets are shown as not classified yet, and it is named; then it heals."""
    process = sample.status()["pids"]["sentiment-service"]
    os.kill(process, signal.SIGSTOP)
    try:
        page = visit.open("#/fuentes")
        texts = (f"Mariana, mensaje tardío {n}" for n in range(35))
        file = csv(tmp_path / "late.csv", "2024-09-01", texts, 2**60 + 2000)
        page.set_input_files("input[type=file]", file)
        visit.says("35 nuevas")
        page = visit.open("#/?desde=2024-09-01&hasta=2024-09-01")
        assert "Faltan 35" in page.inner_text("[data-state=pending]")
        visit.open("#/estado")
        assert page.locator("tr", has=page.locator("[data-state=down]")).locator("th").all_inner_texts() == [
            "Sentimiento"
        ]
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_part_that_hangs_does_not_hold_up_the_rest(visit: Visit, sample: System) -> None:
    """While trending-service is stopped the period still ends at the newest stored tweet, and numbers are shown."""
    process = sample.status()["pids"]["trending-service"]
    os.kill(process, signal.SIGSTOP)
    try:
        visit.page.goto(f"{visit.url}/#/")
        visit.page.reload()
        assert number(visit.page.locator("[data-number=tweets]").inner_text(timeout=60_000)) > 0
        assert visit.page.locator("[data-number=icce]").first.inner_text(timeout=60_000)
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_system_without_tweets_says_how_to_begin(visit: Visit) -> None:
    """Views that read tweets show the first steps in place of empty charts; sources and forecasts are there as ever."""

    def empty(route: Any) -> None:
        told = {"newest_tweet_at": None, "tweets": 0} if "status" in route.request.url else {"items": []}
        route.fulfill(json={"ok": True, "data": told, "meta": {"next_cursor": None}})

    page = visit.page
    page.route("**/v1/trending/status", empty)
    page.route("**/v1/twitter/tweets?limit=1", empty)
    page.reload()
    for view in VIEWS:
        visit.open(view)
        shown = page.locator("[data-state=beginning]").count()
        assert shown == (0 if view.startswith(WITHOUT_TWEETS) else 1), view
    visit.open("#/").click("[data-state=beginning] >> text=Sube un archivo de tuits")
    visit.says("Suelta aquí un archivo")


def test_a_session_that_ended_is_continued_after_signing_in(browser: Any, url: str, sample: System, api: Any) -> None:
    """When the session is ended elsewhere the console says so at the next request, and goes on at the same view."""
    email = "sesion@castor.example"
    password = password_of(sample, email)
    user = next(each for each in api("/v1/auth/users?q=sesion")["items"] if each["email"] == email)
    with visiting(browser, url) as visit:
        visit.page.goto(url)
        visit.sign_in(email, password)
        visit.open(f"#/comparar{WEEK}")
        api(f"/v1/auth/users/{user['id']}/end-sessions", "POST")
        visit.page.goto(f"{url}/#/tendencias{WEEK}")
        visit.says("Tu sesión venció.")
        visit.sign_in(email, password)
        visit.says("temas por encima de lo habitual")
        assert visit.page.url.endswith(f"#/tendencias{WEEK}")


def test_one_sign_in_serves_every_tab_until_signing_out(browser: Any, url: str, sample: System) -> None:
    """A link opened in another tab restores its view without a password; signing out ends that for the browser."""
    with visiting(browser, url) as visit:
        visit.page.goto(url)
        visit.sign_in(EMAIL, password_of(sample, EMAIL))
        assert "code=" not in visit.page.url
        other = visit.page.context.new_page()
        other.goto(f"{url}/#/comparar{WEEK}")
        other.wait_for_selector('main[data-at="/comparar"] h1')
        assert other.url == f"{url}/#/comparar{WEEK}"
        other.close()
        visit.open("#/cuenta").click("text=Salir")
        visit.says("Entrar")
        visit.page.goto(f"{url}/#/cuenta")
        visit.page.reload()
        visit.says("Entrar")
        assert visit.page.evaluate("Object.keys(sessionStorage).filter((key) => key !== 'castor.signing-in')") == []


def test_a_viewer_sees_every_view_that_it_may(browser: Any, url: str, sample: System, api: Any) -> None:
    """The weakest role has numbers, comparisons and forecasts; what it may not see is said; nothing fails."""
    email = "lector@castor.example"
    password = password_of(sample, email)
    user = next(each for each in api("/v1/auth/users?q=lector")["items"] if each["email"] == email)
    api(f"/v1/auth/users/{user['id']}/roles", "PUT", {"roles": ["viewer"]})
    with visiting(browser, url) as visit:
        visit.page.goto(url)
        visit.sign_in(email, password)
        for view in VIEWS:
            page = visit.open(view + ("" if "?" in view else WEEK))
            assert page.locator("[role=alert]").all_inner_texts() == [], view
        assert visit.open(f"#/{WEEK}").locator("[data-number=icce]").count() == 4
        visit.open(f"#/explorar{WEEK}")
        visit.says("Tu rol no permite ver los mensajes.")


@pytest.mark.parametrize(("language", "scheme"), [("es", "light"), ("en", "dark")])
def test_every_view_is_accessible_and_fits_a_phone_and_paper(visit: Visit, language: str, scheme: str) -> None:
    """axe finds nothing serious on any view; at 320 pixels, and on paper, nothing is wider than there is room."""
    from axe_playwright_python.sync_playwright import Axe

    page = visit.page
    page.evaluate("language => localStorage.setItem('castor.language', language)", language)
    page.emulate_media(color_scheme=scheme)
    page.reload()
    for view in VIEWS:
        page.set_viewport_size({"width": 1280, "height": 900})
        visit.open(view + WEEK)
        found = [each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == [], view
        for width, media in ((PHONE_PIXELS, "screen"), (PAPER_PIXELS, "print")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(media=media, color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (view, media)
        page.emulate_media(media="screen", color_scheme=scheme)
    assert page.evaluate("document.documentElement.lang").startswith(language)


def test_the_contracts_are_in_a_viewer(browser: Any, url: str) -> None:
    """/docs shows a contract with its operations, from files of the ingress alone, and tries them there."""
    with visiting(browser, url) as visit:
        asked: list[str] = []
        visit.page.on("request", lambda request: asked.append(request.url))
        visit.page.goto(f"{url}/docs#rag-service")
        visit.page.wait_for_selector(".opblock")
        assert visit.page.locator("#service option").count() == 7
        assert visit.page.input_value(".servers select") == url
        assert all(each.startswith((url, "data:", "blob:")) for each in asked)
        visit.page.select_option("#service", "auth-service")
        visit.says("/v1/auth/logout")


def test_a_new_password_ends_what_else_opens_the_account_or_tells_of_it(visit: Visit) -> None:
    """What mails tell the owner to do after a theft can be asked for, and what is left is named before one leaves."""
    page, asked = visit.page, list[Any]()
    key, passkey = {"id": "k", "name": "Tablero"}, {"id": "p", "name": "Teléfono de Íñigo"}

    def changed(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"ok": True, "data": {"api_keys": [key], "passkeys": [passkey]}})

    page.route("**/v1/auth/me/password", changed)
    visit.open("#/cuenta")
    page.get_by_label("Quitar también todas las llaves de acceso").check()
    page.fill("#current", "one")
    page.fill("#next", "another one")
    page.get_by_role("button", name="Cambiar", exact=True).click()
    visit.says("Teléfono de Íñigo")
    visit.says("Tablero")
    passwords = {"current_password": "one", "new_password": "another one"}
    assert asked == [{**passwords, "remove_passkeys": True, "revoke_api_keys": False}]
    with page.expect_request("**/authorize?**"):
        page.click("text=Entrar de nuevo")
