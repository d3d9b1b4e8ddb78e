"""Files over HTTP: read into passages, erased with them, refused for a reason."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest

from castor_chassis import Postgres, normal_form
from rag_service.documents.model import Access, Draft
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.files.model import Upload
from rag_service.files.parsing import sections_of

if TYPE_CHECKING:
    from conftest import World

HTML = b"""<html><head><title>x</title><script>alert('no')</script></head><body><nav>Inicio</nav>
<h1>Programa</h1><p>Presentaci\xc3\xb3n breve.</p><h2>Salud</h2><p>Construiremos <b>45</b> hospitales.</p>
<ul><li>Uno en Quibd\xc3\xb3.</li></ul></body></html>"""
MARKDOWN = "# Programa\n\nPresentación **breve**.\n\n## Salud\n\nConstruiremos 45\nhospitales.\n\n- Uno en Quibdó.\n"


def pdf(*lines: str, letters: bytes = b"") -> bytes:
    """Return a PDF of one page; ``letters`` maps codes of characters to UTF-16, both in hexadecimal."""
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines)
    stream = zlib.compress(f"BT /F1 12 Tf 50 700 Td {shown} ET".encode("latin-1"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
        b"/Encoding /WinAnsiEncoding /ToUnicode 5 0 R >> >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(letters), letters),
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Root 1 0 R /Size 6 >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(body),
    )


FILES = {
    "text/plain": "Construiremos 45 hospitales. Uno en Quibdó.".encode("cp1252"),
    "text/markdown": MARKDOWN.encode(),
    "text/html; charset=utf-8": HTML,
    "application/pdf": pdf("Construiremos 45 hospi-", "tales. Uno en Quibdó."),
}


async def send(world: World, content: bytes, media_type: str, status: int = 202, **query: str) -> Any:
    """Send a file; return what is said of it."""
    headers = {**world.headers, "content-type": media_type}
    params = {"name": "programa", "source": "programas", **query}
    answer = await world.service.client.post("/v1/rag/files", params=params, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()["data"] if status == 202 else answer.json()


async def read(world: World, file_id: str) -> Any:
    """Wait until a file is read or cannot be; return it."""

    async def ended() -> Any:
        file = (await world.call("GET", f"/v1/rag/files/{file_id}"))["data"]
        return file if file["state"] in ("done", "failed") else None

    return await world.eventually(ended)


@pytest.mark.parametrize("media_type", FILES)
async def test_each_kind_of_file_is_read_found_and_quoted(world: World, media_type: str) -> None:
    """Text, Markdown, HTML and PDF become passages that an answer quotes, said to come from a file."""
    file = await read(world, (await send(world, FILES[media_type], media_type, title="Plan"))["id"])
    assert (file["state"], file["stored"], file["error"]) == ("done", file["passages"], None)
    answer = (await world.call("POST", "/v1/rag/query", {"question": "¿Cuántos hospitales?"}))["data"]
    cited = answer["citations"][0]
    assert " ".join(cited["quote"].split()).startswith("Construiremos 45 hospitales.")
    assert (cited["origin"], cited["source"], cited["title"][:4]) == ("file", "programas", "Plan")
    assert ("Salud" in cited["title"]) == (media_type.startswith(("text/markdown", "text/html")))


async def test_the_same_file_again_is_stored_and_embedded_once(world: World) -> None:
    """Sent twice it is one file, with what was said of it first; another file's sentence costs no second embedding."""
    first = await send(world, b"Un texto largo sobre salud.", "text/plain")
    await read(world, first["id"])
    await world.indexed()
    assert (await send(world, b"Un texto largo sobre salud.", "text/plain"))["id"] == first["id"]
    refused = await send(world, b"Un texto largo sobre salud.", "text/plain", status=409, title="Otro")
    assert refused["code"] == "file_stored_otherwise"
    assert f"DELETE /v1/rag/files/{first['id']}" in refused["error"]
    other = await send(world, b"Un texto largo sobre salud.", "text/plain", source="otra")
    await read(world, other["id"])
    status = await world.indexed()
    assert (status["documents"], status["embedded"], len(world.openai.embedded)) == (2, 2, 1)


async def test_an_erased_file_takes_its_passages_along(world: World) -> None:
    """After DELETE neither the file nor a passage of it is there, and the erasures say who did it."""
    text = " ".join(f"La vereda número {number} pide un hospital y una escuela." for number in range(60))
    file = await read(world, (await send(world, text.encode(), "text/plain"))["id"])
    assert file["passages"] > 2
    assert [item["id"] for item in (await world.call("GET", "/v1/rag/files"))["data"]["items"]] == [file["id"]]
    erased = (await world.call("DELETE", f"/v1/rag/files/{file['id']}"))["data"]
    assert erased["passages"] == file["passages"]
    await world.call("GET", f"/v1/rag/files/{file['id']}", status=404)
    assert (await world.call("POST", "/v1/rag/search", {"query": "vereda"}))["data"]["items"] == []
    assert len((await world.call("GET", "/v1/rag/erasures"))["data"]["items"]) == file["passages"] + 1


async def test_a_passage_is_erased_with_its_file_or_its_source(world: World) -> None:
    """One alone is refused; erasing the source takes the file along, so that it is read anew when it is sent again."""
    text = b"Un hospital para la vereda."
    file = await read(world, (await send(world, text, "text/plain"))["id"])
    refused = await world.call("DELETE", f"/v1/rag/documents/{file['id']}:00001", status=403)
    assert (refused["code"], "/v1/rag/files/{id}" in refused["error"]) == ("reserved_id", True)
    assert (await world.call("DELETE", "/v1/rag/documents?source=programas"))["data"]["erased"] == 1
    await world.call("GET", f"/v1/rag/files/{file['id']}", status=404)
    erased = {item["id"] for item in (await world.call("GET", "/v1/rag/erasures"))["data"]["items"]}
    assert erased == {file["id"], f"{file['id']}:00001"}
    again = await read(world, (await send(world, text, "text/plain"))["id"])
    assert (again["state"], again["stored"]) == ("done", 1)
    await world.call("GET", f"/v1/rag/documents/{file['id']}:00001")


@pytest.mark.parametrize(
    ("content", "media_type", "reason"),
    [
        (b"%PDF-1.4 broken", "application/pdf", "no PDF that can be read"),
        (b"", "application/pdf", None),
        (b"<html><script>x</script></html>", "text/html", "holds no text"),
        (pdf(""), "application/pdf", "holds no text"),
    ],
)
async def test_what_cannot_be_read_says_why(world: World, content: bytes, media_type: str, reason: str | None) -> None:
    """A broken or empty file ends as failed with its reason, and those behind it are read."""
    if reason is None:
        assert (await send(world, content, media_type, status=422))["code"] == "empty_file"
        return
    failed = await send(world, content, media_type)
    behind = await send(world, b"Esto se lee bien.", "text/plain")
    assert (await read(world, behind["id"]))["state"] == "done"
    file = await read(world, failed["id"])
    assert file["state"] == "failed"
    assert reason in file["error"]


async def test_a_pdf_of_half_characters_holds_nothing_up(world: World) -> None:
    """Halves of UTF-16 pairs, which no database takes, are replaced; pairs are joined."""
    letters = b"1 begincodespacerange <00> <ff> endcodespacerange 2 beginbfchar <41> <d800> <42> <d83dde00> endbfchar"
    file = await read(world, (await send(world, pdf("hospital A B", letters=letters), "application/pdf"))["id"])
    assert (file["state"], file["error"]) == ("done", None)
    document = (await world.call("GET", f"/v1/rag/documents/{file['id']}:00001"))["data"]
    assert document["text"].split() == ["hospital", "\ufffd", "\U0001f600"]


@pytest.mark.parametrize("name", ["Programa.PDF", "año 2026.pdf", "a.txt.pdf"])
async def test_a_file_without_a_type_is_what_its_name_says(world: World, name: str) -> None:
    """Generated clients send application/octet-stream; the end of the name decides."""
    file = await send(world, FILES["application/pdf"], "application/octet-stream", name=name)
    assert file["media_type"] == "application/pdf"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Año de niñas. 🎉".encode("utf-16"), "Año de niñas. 🎉"),
        ("\ufeffAño de niñas.".encode(), "Año de niñas."),
        ("Año de niñas.\n".encode() + "Señal única.".encode("cp1252"), "Año de niñas.\nSeñal única."),
        ("Año de niñas. ¡Ya! 🎉".encode()[:-1], "Año de niñas. ¡Ya! \ufffd"),
        ("El de la peña de Ibagué".encode("cp1252"), "El de la peña de Ibagué"),
        ("Viva Ibagué".encode("cp1252"), "Viva Ibagué"),
    ],
)
def test_characters_are_read_as_they_were_written(content: bytes, text: str) -> None:
    """UTF-16, UTF-8, lines of Windows-1252, and a file that ends within a character."""
    assert sections_of("text/plain", content)[0].text == text


def test_text_of_files_is_composed() -> None:
    """Accents are part of their letters, as in documents; a letter with very many marks holds nothing up."""
    content = "Educacio\u0301n. a" + "\u0323\u0301" * 100
    (section,) = sections_of("text/plain", content.encode())
    assert section.text == normal_form("NFC", content)
    (section,) = sections_of("text/markdown", "# Educacio\u0301n\n\nTexto.".encode())
    assert section.heading == "Educación"


async def test_files_are_listed_by_when_they_were_stored(world: World) -> None:
    """Days and moments bound the list; a span that ends before it begins is refused."""
    file = await send(world, b"Un texto.", "text/plain")
    stored_at = file["stored_at"]
    for span, count in (
        (f"since={stored_at}", 1), (f"until={stored_at}", 0), ("until=2020-01-01", 0), ("since=2020-01-01", 1),
    ):  # fmt: skip
        assert len((await world.call("GET", f"/v1/rag/files?{span}"))["data"]["items"]) == count, span
    await world.call("GET", "/v1/rag/files?since=2020-01-02&until=2020-01-01", status=422)


async def test_what_may_not_be_sent_is_refused(world: World) -> None:
    """Other kinds of files, names of the feed, roles of others and more than 5 MB are refused at once."""
    assert (await send(world, b"x", "image/png", status=415))["code"] == "unknown_media_type"
    unnamed = "application/octet-stream"
    for name in ("programa", "programa.docx", "pdf", "pdf."):
        assert (await send(world, b"x", unnamed, status=415, name=name))["code"] == "unknown_media_type"
    assert (await send(world, b"x", "text/plain", status=403, source="twitter"))["code"] == "reserved_id"
    assert (await send(world, b"x", "text/plain", status=403, readers="chief"))["code"] == "not_for_your_roles"
    await send(world, b"x" * 5_000_001, "text/plain", status=413)
    await send(world, b"x", "text/plain", status=422, published_at="0001-01-01T00:00:00+14:00")
    world.headers["Idempotency-Key"] = "0123456789-0123456789"
    assert (await send(world, b"x", "text/plain", status=400))["code"] == "idempotency_unsupported"


async def test_a_file_that_meets_what_its_owner_may_not_change_holds_nothing_up(
    world: World, postgres: Postgres
) -> None:
    """It is said to be unreadable, and the file behind it is read."""
    content = FILES["text/plain"]
    upload = Upload("programa", "text/plain", content, "programas", None, None, None, [])
    # Stored by an earlier version, which did not keep such ids for files.
    hidden = Draft(f"{upload.id}:00001", "Reservado.", "programas", readers=["analyst"])
    analyst = Access("default", ("analyst",), "user:ana")
    await TenantDocumentRepository(postgres).save(analyst, "upload", [hidden])
    first = await send(world, content, "text/plain")
    second = await send(world, FILES["text/markdown"], "text/markdown")
    assert ((await read(world, first["id"]))["state"], (await read(world, second["id"]))["state"]) == ("failed", "done")
