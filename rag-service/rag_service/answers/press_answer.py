"""An answer in Spanish made of positions and verbatim quotes, without a language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rag_service.answers.positions import Overview, Position
from rag_service.documents.model import TWEET_SOURCE, Document
from rag_service.questions.form import Form
from rag_service.retrieval.model import Filters
from rag_service.text.periods import written_day
from rag_service.text.terms import Term

NAMED_AUTHORS = 4
"""Up to so many authors are named in the first line."""
LEAST_FOR_SHARES = 5
"""Of fewer publications the tone is told in numbers: shares of two or three say nothing."""


LEAST_PARTS = 2
_TONES = {"positive": " de tono positivo", "negative": " de tono negativo"}


@dataclass(frozen=True, slots=True)
class Survey:
    """How many documents, the nearest, were looked at (None: of all that were found), whether those about it are all
    that may speak of it, the tone and the form that is asked for, and how many more are about it without that form
    (None: those are told with the others)."""

    nearest: int | None = None
    complete: bool = True
    tone: str | None = None
    form: Form | None = None
    formless: int | None = None


def press_answer(overview: Overview, filters: Filters, survey: Survey) -> str:
    """Return the positions as text: a line on the whole, and for each position its share, tone, time and quotes.

    The line does not claim more than was looked at.
    """
    lines = [_head(overview, filters, survey)]
    shown = sum(position.documents for position in overview.positions)
    rest = overview.documents - shown
    for number, position in enumerate(overview.positions, 1):
        lines += [f"{number}. {_described(position, overview.documents)}", *_quotes(position, overview)]
    if rest:
        lines.append(f"El {_percent(rest / overview.documents)} restante trata otros aspectos.")
    return "\n".join(lines)


def _head(overview: Overview, filters: Filters, survey: Survey) -> str:
    tone = _TONES.get(survey.tone or "", "") + (
        f" con {survey.form.name}" if survey.form is not None and survey.formless else ""
    )
    if survey.complete:
        many = ("publicación" + tone + " habla", "publicaciones" + tone + " hablan")
        head = f"{_count(overview.documents, *many)} de esto"
    else:
        many = ("publicación" + tone, "publicaciones" + tone)
        head = f"Estas son las {_count(overview.documents, *many)} más cercanas a la pregunta"
    head += f"{_period(filters)}, de {_authors(overview)}"
    if survey.complete and survey.nearest:
        head += f", entre las {survey.nearest} más cercanas que se revisaron"
    scored = any(_tone(position) for position in overview.positions)
    tones = " El tono es el que estima un clasificador automático." if scored else ""
    return f"{head}.{_of_parts(overview)}{_of_form(survey, overview)}{tones}"


def _of_parts(overview: Overview) -> str:
    """Return how many name each part of the question, where it has several."""
    if not overview.parts:
        return ""
    told = [f"«{text}» {count or 'ninguna'}" for text, count in overview.parts]
    together = f"{'ambas cosas' if len(told) == LEAST_PARTS else 'todo'} {overview.joined or 'ninguna'}"
    return f" De ellas nombran {_joined([*told, together], 'y')}."


def _of_form(survey: Survey, overview: Overview) -> str:
    """Return how many have the form that is asked for, or how many more have not."""
    formed = overview.formed
    if survey.form is None or survey.formless == 0 or (survey.formless is None and formed == overview.documents):
        return ""
    if not formed:
        return f" Ninguna contiene {survey.form.name}: es lo que más se acerca a la pregunta."
    if survey.formless is None:
        return f" {_count(formed, 'de ellas contiene', 'de ellas contienen')} {survey.form.name}."
    return f" {_count(survey.formless, 'más trata', 'más tratan')} el tema sin {survey.form.name}."


@dataclass(frozen=True, slots=True)
class Silence:
    """Of which terms nothing was found (``missing``: those of which not even the word was), in what ``speakers`` wrote
    where those alone were looked at; ``elsewhere`` are the missing ones that documents of others name."""

    missing: Sequence[Term]
    terms: Sequence[Term]
    speakers: Sequence[str] = ()
    elsewhere: Sequence[Term] = ()


def nobody_spoke(silence: Silence, filters: Filters) -> str:
    """Return the sentence that says what nothing was found about, in whose words, and when."""
    subjects, period = _quoted(silence.missing or silence.terms), _period(filters)
    if not subjects:
        of_speakers = f" de {_joined(silence.speakers, 'ni de')}" if silence.speakers else ""
        return f"No se encontró ninguna publicación{of_speakers} sobre esto{period}."
    if silence.missing or len(subjects) == 1:
        what = f"de {_joined(subjects, 'ni de')}"
    else:
        what = f"a la vez de {_joined(subjects, 'y')}"
    others = f" Otras publicaciones sí nombran {_joined(_quoted(silence.elsewhere), 'y')}." if silence.elsewhere else ""
    return f"{_who_did_not(silence.speakers)} {what}{period} en los documentos guardados.{others}"


def _quoted(terms: Sequence[Term]) -> list[str]:
    return [f"«{term.word}»" for term in terms]


def _who_did_not(speakers: Sequence[str]) -> str:
    """Return the beginning of what is said of a subject that nobody, or none of ``speakers``, wrote about."""
    if not speakers:
        return "Nadie habló"
    return f"{speakers[0]} no escribió" if len(speakers) == 1 else f"Ni {' ni '.join(speakers)} escribieron"


def said_by(document: Document) -> str:
    """Return whose words a quote is: the account of a tweet, or the title and claimed author of a document."""
    if document.source == TWEET_SOURCE:
        return f"@{document.author}" if document.author else "una cuenta sin nombre"
    return ", ".join(name for name in (document.author, document.title, f"documento «{document.source}»") if name)


def _authors(overview: Overview) -> str:
    """Return how many authors there are, and of a few how much each wrote, where that is known of all."""
    found = overview.authors
    number = len(found) + max(0, found[""] - 1)
    each = next(iter(found)) if number == 1 else ", ".join(f"{name}, {count}" for name, count in found.most_common())
    names = f" ({each})" if authors_are_named(overview) else ""
    return _count(number, "autor", "autores") + names.replace(", @", "; @")


def authors_are_named(overview: Overview) -> bool:
    """Return whether the authors of all its documents are named, also of those that are not quoted."""
    found = overview.authors
    everyone = found.total() == overview.documents and len(found) <= NAMED_AUTHORS
    return not found[""] and (everyone or len(+found) == 1)


def _described(position: Position, total: int) -> str:
    subject = f" en torno a {_joined([f'«{word}»' for word in position.terms], 'y')}" if position.terms else ""
    size = _count(position.documents, "publicación", "publicaciones")
    parts = [f"{_percent(position.share)} ({size} de {total}, {_count(position.authors, 'autor', 'autores')}){subject}"]
    tone = _tone(position)
    return "; ".join([*parts, *([tone] if tone else []), _span(position.since, position.until)]) + "."


def _tone(position: Position) -> str:
    tone = position.sentiment
    scored = tone.positive + tone.neutral + tone.negative
    shares = [(tone.positive, "positivo"), (tone.negative, "negativo"), (tone.neutral, "neutral")]
    told = [(count, name) for count, name in shares if count]
    if len(told) == 1 and scored == 1:
        return f"tono {told[0][1]}"
    if scored < LEAST_FOR_SHARES:
        return "tono " + ", ".join(f"{name} en {count}" for count, name in told) if told else ""
    return "tono " + ", ".join(f"{_percent(count / scored)} {name}" for count, name in told)


def _quotes(position: Position, overview: Overview) -> list[str]:
    lines = []
    for citation in position.quotes:
        passage = overview.passages[citation.id]
        more = f"; {_count(passage.same, 'más dice', 'más dicen')} lo mismo" if passage.same else ""
        when = written_day(passage.document.published_at)
        lines.append(
            f'   "{" ".join(citation.quote.split())}" [{citation.id}] ({said_by(passage.document)}, {when}{more})'
        )
    return lines


def _period(filters: Filters) -> str:
    if filters.since and filters.until:
        return f" {_span(filters.since, _last_moment(filters.until), 'entre el', 'y el')}"
    if filters.since:
        return f" desde el {written_day(filters.since)}"
    if filters.until:
        return f" antes del {written_day(filters.until)}"
    return f" hasta el {written_day(filters.as_of)}"


def _last_moment(until: datetime) -> datetime:
    # The end is not part of the period: one that ends at midnight ends with the day before.
    return until - timedelta(seconds=1) if until.year > 1 else until


def _span(since: datetime, until: datetime, start: str = "del", end: str = "al") -> str:
    first, last = written_day(since), written_day(until)
    return f"el {first}" if first == last else f"{start} {first} {end} {last}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,}".replace(",", ".") + f" {one if number == 1 else many}"


def _percent(share: float) -> str:
    return f"{round(share * 100)} %"


def _joined(words: Sequence[str], last: str) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
