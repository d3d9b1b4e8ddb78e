"""HTML and Markdown: each word that people read is read, in its order, under its heading."""

from __future__ import annotations

import pytest

from rag_service.files.parsing import sections_of

HTML, MARKDOWN = "text/html", "text/markdown"


def read(media_type: str, content: str) -> list[tuple[str | None, str]]:
    """Return (heading, text) of the sections."""
    return [(section.heading, section.text) for section in sections_of(media_type, content.encode())]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>hospi<b>tales</b> p\u00fablicos</p>", "hospitales p\u00fablicos"),
        (
            "<ul><li>La reforma <b>no</b> sube<ul><li>Ni el IVA</li></ul> nada</li></ul>",
            "La reforma no sube|Ni el IVA|nada",
        ),
        ("<blockquote>El <em>se\u00f1or</em> dijo <p>que no</p> y ya</blockquote>", "El se\u00f1or dijo|que no|y ya"),
        ("<div>Vamos a bajar el IVA</div><p>Contacto</p>", "Vamos a bajar el IVA|Contacto"),
        ("Suelto <div>dentro</div> fuera", "Suelto|dentro|fuera"),
        ("<section>Uno<p>dos</section>tres", "Uno|dos|tres"),
        ("uno<br>dos<!-- tres --><script>x()</script>", "uno dos"),
        ("<table><tr><td>Salud<td>45 %</table>", "Salud|45 %"),
        (
            "<header>Inicio</header><main><header>De hoy</header>Texto<footer>Firma</footer></main>",
            "De hoy|Texto|Firma",
        ),
        ("<article><aside>Dato</aside>Texto</article><aside>Otras noticias</aside>", "Dato|Texto"),
        (
            "<form><label>Buscar</label><select><option>a</select><p>Toda la p\u00e1gina</p></form>",
            "Toda la p\u00e1gina",
        ),
        ("<article><p>a</article><header>b</header>", "a"),
        ("<nav>Inicio <p>Men\u00fa</p></nav>Educacio\u0301n", "Educaci\u00f3n"),
        ("<h1>Plan</h1><h2>Salud</h2>", "Plan|Salud"),
        ("<custom-tag>uno</custom-tag><b>dos</b>", "unodos"),
        ("<p>uno</p></body><!-- dos --></html>tres", "uno|tres"),
        ("<pre>uno\n  dos</pre>", "uno dos"),
    ],
)
def test_all_words_of_a_page_are_read(page: str, text: str) -> None:
    """Tags within a line part no word, blocks part lines; what is around the page is left out."""
    assert read(HTML, page) == [(None, text.replace("|", "\n\n"))]


def test_headings_are_found_wherever_they_stand() -> None:
    """In a header of an article, in a list, with tags of their own."""
    page = (
        "<p>Antes</p><article><header><h1>Plan <i>de</i> gobierno</h1><p>2026</p></header><p>Texto</p></article>"
        "<ul><li><a><h2>Salud</h2></a>Hospitales</li></ul><h3><img></h3>M\u00e1s"
    )
    assert read(HTML, page) == [
        (None, "Antes"),
        ("Plan de gobierno", "2026\n\nTexto"),
        ("Salud", "Hospitales\n\nM\u00e1s"),
    ]


@pytest.mark.parametrize(
    "heading",
    [
        "<h2><div>Educación</div></h2>",
        "<h2><p>Educación</p></h2>",
        "<h1><a href=x><div>Educación</div></a></h1>",
        "<h2><ul><li>Educación</li></ul></h2>",
        "<h2><header>Educación</header></h2>",
        "<h2><div><h3>Educación</h3></div></h2>",
    ],
)
def test_a_heading_is_one_whatever_it_is_made_of(heading: str) -> None:
    """Blocks within it part words, and no lines."""
    assert read(HTML, f"<p>a</p>{heading}<p>b</p>") == [(None, "a"), ("Educación", "b")]
    page = f"<p>a</p>{heading.replace('Educación', 'Plan<div>2026</div>')}<p>b</p>"
    assert read(HTML, page) == [(None, "a"), ("Plan 2026", "b")]


def test_a_heading_that_nobody_closed_is_text() -> None:
    """What follows it is within it, and is no heading."""
    assert read(HTML, "<h2>A</h2>b<h1>Plan" + "<p>Texto</p>" * 100) == [("A", "b\n\nPlan" + " Texto" * 100)]


def test_nothing_stands_around_a_markdown_file() -> None:
    """What would be a part of the site around a page is a part of the text."""
    assert read(MARKDOWN, "<aside>Dato</aside>\n\n<footer>Firma</footer>") == [(None, "Dato\n\nFirma")]


def test_a_deep_page_is_read_to_its_end() -> None:
    """The walk keeps no stack of its own."""
    assert read(HTML, "<div>" * 5_000 + "hondo" + "</div>" * 5_000 + "fin") == [(None, "hondo\n\nfin")]


def test_html_within_markdown_is_read() -> None:
    """A block of HTML is a part of the text, its headings are headings; a line break parts words."""
    text = "Antes\n\n<div>La reforma <b>no</b> sube</div>\n\n<h2>Salud</h2>\n\nuno<br>dos <b>no</b> tres\n\n<!-- -->"
    assert read(MARKDOWN, text) == [(None, "Antes\n\nLa reforma no sube"), ("Salud", "uno\ndos no tres")]
