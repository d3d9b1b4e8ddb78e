"""Redaction: personal data is not sent to an upstream, and is restored in its answers."""

from __future__ import annotations

import json
import random
import sys
import time
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fake_openai import FakeOpenAI
from hypothesis import given
from hypothesis import strategies as st
from openai_support import KEY, Run, Sdk

from castor_chassis.testing import RunningService
from openai_service.text.redaction import Redaction, StreamRestorer, placeholders_in, plain_characters

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOUND = [
    ("Escriba a ana.perez+eps@correo.com.co hoy", "ana.perez+eps@correo.com.co", "CORREO"),
    ("mi correo es juan arroba gmail.com", "juan arroba gmail.com", "CORREO"),
    ("WhatsApp 310 555 1234", "310 555 1234", "TELEFONO"),
    ("llámeme al 3105551234", "3105551234", "TELEFONO"),
    ("+57 (601) 345 6789 en horas de oficina", "+57 (601) 345 6789", "TELEFONO"),
    ("desde Madrid +34 612 345 678", "+34 612 345 678", "TELEFONO"),
    ("tel: 555 1234", "555 1234", "TELEFONO"),
    ("cédula 1.020.304.050", "1.020.304.050", "DOCUMENTO"),
    ("C.C. No. 79123456", "79123456", "DOCUMENTO"),
    ("cédula de ciudadanía número 52.123.456", "52.123.456", "DOCUMENTO"),
    ("NIT 900.123.456-7", "900.123.456-7", "DOCUMENTO"),
    ("la empresa 900123456-7 cobró", "900123456-7", "DOCUMENTO"),
    ("tarjeta 4111 1111 1111 1111", "4111 1111 1111 1111", "TARJETA"),
    ("Amex 3782-822463-10005", "3782-822463-10005", "TARJETA"),
    ("escriba a ana＠correo.com hoy", "ana＠correo.com", "CORREO"),
    ("escriba a ana\u200b@correo.com hoy", "ana\u200b@correo.com", "CORREO"),
    ("celular ３１０ ５５５ １２３４", "３１０ ５５５ １２３４", "TELEFONO"),
    ("celular ٣١٠٥٥٥١٢٣٤", "٣١٠٥٥٥١٢٣٤", "TELEFONO"),
    ("celular 310\u2011555\u20111234", "310\u2011555\u20111234", "TELEFONO"),
    ("celular 310\u200b555\u200b1234", "310\u200b555\u200b1234", "TELEFONO"),
]
KEPT = [
    "El presupuesto es de 1.020.304.050 pesos",
    "Obtuvo 8.527.768 votos el 29 de mayo de 2022",
    "del 2022-05-29 al 2026-05-31",
    "subió 12,5 % y costó $ 1.200.000",
    "la Ley 1448 de 2011 y el artículo 20",
    "el partido terminó 3-2 a las 20:45",
    "escríbale a @petrogustavo",
]


@pytest.mark.parametrize(("text", "value", "kind"), FOUND)
async def test_it_is_found(text: str, value: str, kind: str) -> None:
    """The value becomes one placeholder of its kind, nothing else changes, and it is restored."""
    redaction = Redaction()
    safe = redaction.redact(text)
    assert safe == text.replace(value, f"[{kind}_1]")
    assert redaction.restore(safe) == text


@pytest.mark.parametrize("text", KEPT)
async def test_it_is_left(text: str) -> None:
    """Votes, money, dates, laws, scores and, by default, handles are not redacted."""
    assert Redaction().redact(text) == text


async def test_what_is_restored_fits_into_json() -> None:
    """A model that quotes an address writes its placeholder into a JSON string, which bears no control character."""
    for space in (" ", "\u00a0", "", *map(chr, range(32))):
        redaction = Redaction()
        redaction.redact(f"juan{space}(at){space}dominio.com")
        assert json.loads(redaction.restore('{"quote": "[CORREO_1]"}'))
        assert bool(redaction.values) == (space == "" or space >= " ")


async def test_handles_by_option() -> None:
    """With ``handles`` the @names go too, and an address is still an address."""
    redaction = Redaction(handles=True)
    assert redaction.redact("@ana y b@c.co y @ana") == "[USUARIO_1] y [CORREO_1] y [USUARIO_1]"


async def test_a_placeholder_of_the_caller_keeps_its_meaning() -> None:
    """A placeholder that the text contains already is not replaced by a value."""
    text = "Diga [CORREO_1] tal cual; el mío es a@b.co"
    redaction = Redaction(taken=placeholders_in([text]))
    safe = redaction.redact(text)
    assert safe == "Diga [CORREO_1] tal cual; el mío es [CORREO_2]"
    assert redaction.restore(safe) == text


@given(
    st.lists(
        st.sampled_from([*(text for text, _, _ in FOUND), *KEPT, "[", "]", "[CORREO_1]", " @x ", "\n"]), max_size=6
    )
)
async def test_restoring_undoes_redacting(parts: list[str]) -> None:
    """Any combination is restored exactly, in one piece or in pieces of any length."""
    text = " ".join(parts)
    redaction = Redaction(handles=True, taken=placeholders_in([text]))
    safe = redaction.redact(text)
    assert redaction.restore(safe) == text
    restorer, chance, at, told = StreamRestorer(redaction), random.Random(len(text)), 0, ""
    while at < len(safe):
        size = chance.randint(1, 9)
        told += restorer.feed(safe[at : at + size])
        at += size
    assert told + restorer.rest() == text


HOSTILE = ["a", "a.", "a@", "a@a.", "1 ", "1", "1-", "(1", "[CORREO_", "cédula ", "@a", ".@-", "no. ", "tel "]


@pytest.mark.parametrize("unit", HOSTILE)
async def test_a_megabyte_made_to_be_slow_is_not(unit: str) -> None:
    """Ten times the text takes no more than about ten times as long: far below the hundred of a quadratic pattern."""

    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        begun = time.process_time()
        Redaction(handles=True).redact(text)
        return time.process_time() - begun

    short = max(min(seconds(100_000) for _ in range(3)), 0.002)
    assert seconds(1_000_000) < 45 * short


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def online(run: Run, fake: FakeOpenAI) -> AsyncIterator[RunningService]:
    """A service with the fake upstream, patient enough for a busy machine."""
    async with run(openai_base_url=fake.url, openai_api_key=KEY, breaker_fail_max=1_000_000) as service:
        yield service


ASKED: list[Any] = [
    {"role": "system", "content": "El contacto es jefe@campaña.co o soporte@ejemplo.co"},
    {"role": "user", "content": "Mi correo es ana@ejemplo.co y mi celular 310 555 1234"},
]


async def test_nothing_personal_leaves(online: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """The upstream gets placeholders; the caller gets the values where the model repeats them."""
    upstream.replies = [{"content": "Le escribo a [CORREO_2] y llamo al [TELEFONO_1]."}]
    answer = await sdk(online).chat.completions.create(model="m", messages=ASKED, user="ana@ejemplo.co")
    assert answer.choices[0].message.content == "Le escribo a ana@ejemplo.co y llamo al 310 555 1234."
    sent = json.dumps(upstream.bodies)
    assert "ejemplo.co" not in sent
    assert "555" not in sent
    assert upstream.bodies[0]["user"] == "[CORREO_2]"


async def test_nothing_personal_leaves_in_any_field(online: RunningService, upstream: FakeOpenAI) -> None:
    """Each field of a request that can hold text is redacted, metadata, tools and schemas with their keys included."""
    mail = "ana@ejemplo.co"
    schema = {"type": "object", "description": mail, "properties": {mail: {"type": "string", "enum": [mail]}}}
    said = {"role": "assistant", "content": None, "refusal": mail, "annotations": [{"note": mail}]}
    body = {
        "model": "m", "messages": [{"role": "user", "content": "hola", "name": mail}, said],
        "metadata": {mail: mail}, "stop": [mail], "user": mail,
        "tools": [{"type": "function", "function": {"name": "f", "description": mail, "parameters": schema}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}},
    }  # fmt: skip
    answer = await online.client.post("/v1/openai/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    sent = json.dumps(upstream.bodies[0])
    assert mail not in sent
    assert sent.count("[CORREO_1]") == 14


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://example.com/a.png", True), ("data:image/png;base64,QUJD", True), ("http://example.com/a.png", False),
        ("https://169.254.169.254/latest", False), ("https://[::1]/", False), ("https://localhost/a", False),
        ("https://0x7f000001/", False), ("https://vault.internal/", False), ("https://valkey:6379/", False),
        ("https://example.com:8443/", False), ("https://a@example.com/", False), ("file:///etc/passwd", False),
        ("https://vault.ｉnternal/", False), ("https://vault。internal/", False),
        ("https://169．254．169．254/", False), ("https://bogotá.example.co/a.png", True),
    ],
)  # fmt: skip
async def test_images_are_fetched_from_public_hosts_only(
    online: RunningService, upstream: FakeOpenAI, url: str, goes: bool
) -> None:
    """An upstream is told of an image at a public https host or in the request itself; any other address is refused."""
    content = [{"type": "text", "text": "¿Qué se ve?"}, {"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    answer = await online.client.post("/v1/openai/chat/completions", json=body)
    assert answer.status_code == (200 if goes else 422), answer.text
    assert bool(upstream.bodies) == goes


async def test_images_may_have_to_be_in_the_request(run: Run, fake: FakeOpenAI) -> None:
    """IMAGE_SOURCES=data: a model in one's own network is given no address that it would fetch."""
    fake.reset()
    async with run(openai_base_url=fake.url, openai_api_key=KEY, image_sources="data") as service:
        for url, status in (("https://example.com/a.png", 422), ("data:image/png;base64,QUJD", 200)):
            content = [{"type": "image_url", "image_url": {"url": url}}]
            body = {"model": "m", "messages": [{"role": "user", "content": content}]}
            assert (await service.client.post("/v1/openai/chat/completions", json=body)).status_code == status
    assert len(fake.bodies) == 1


async def test_a_stream_says_it_again(online: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """A placeholder in pieces of three letters is restored; text that only resembles one is not held back."""
    upstream.replies = [{"content": "Escribo a [CORREO_2], [y nada más] y [CORREO_9]. [CORR"}]
    stream = await sdk(online).chat.completions.create(model="m", messages=ASKED, stream=True)
    text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
    assert text == "Escribo a ana@ejemplo.co, [y nada más] y [CORREO_9]. [CORR"


async def test_embeddings_are_made_of_redacted_text(online: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """What is embedded elsewhere is redacted, too."""
    await sdk(online).embeddings.create(model="e", input=["escriba a ana@ejemplo.co", "sin datos"])
    assert upstream.bodies[0]["input"] == ["escriba a [CORREO_1]", "sin datos"]


async def test_it_can_be_switched_off(run: Run, fake: FakeOpenAI, sdk: Sdk) -> None:
    """REDACT=off sends everything as it is."""
    fake.reset()
    async with run(openai_base_url=fake.url, openai_api_key=KEY, redact="off") as service:
        await sdk(service).chat.completions.create(model="m", messages=ASKED)
    assert fake.bodies[0]["messages"] == ASKED


async def test_the_table_of_plain_characters_is_whole_and_fixed() -> None:
    """It has every digit, space and hyphen of Unicode, and no text makes it grow."""
    kinds = ("Nd", "Zs", "Pd")
    wanted = {code for code in range(0x80, sys.maxunicode + 1) if unicodedata.category(chr(code)) in kinds}
    size = len(plain_characters())
    assert wanted <= plain_characters().keys()
    Redaction().redact("".join(map(chr, range(0xE000, 0x20000))))
    assert len(plain_characters()) == size < 1000
