"""Synthetic Spanish tweets: twarc pages with the fields and expansions that twarc asks for, in any number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

PAGE = 100
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
START = datetime(2026, 1, 1, tzinfo=UTC)

_SUBJECTS = (
    "El candidato", "La senadora", "Este gobierno", "El alcalde de Cali", "La propuesta de pensiones", "Petro",
    "El exministro", "Fico Gutiérrez", "La gobernadora del Cauca", "Sergio Fajardo", "El Congreso", "La Registraduría",
)  # fmt: skip
_VERBS = (
    "prometió", "defendió con calma", "volvió a negar", "no cumplió", "celebró", "explicó en el debate", "rechazó",
    "aplazó otra vez", "presentó", "anunció en Medellín", "criticó", "respaldó",
)  # fmt: skip
_OBJECTS = (
    "la reforma a la salud", "el acuerdo de paz", "los impuestos más altos", "el plan para los jóvenes",
    "la seguridad en Bogotá", "las vías terciarias", "la educación pública", "el precio de la energía",
    "el campo y los campesinos", "la igualdad de las mujeres", "la deforestación en el Amazonas", "el empleo",
)  # fmt: skip
_TAILS = (
    "qué vergüenza", "y me alegra mucho", "según la prensa", "¿será?", "y nadie dice nada", "como siempre",
    "ya era hora", "esto no puede seguir así", "hay que leerlo completo", "lo vimos en Barranquilla",
)  # fmt: skip
_TAGS = ("Elecciones2026", "Colombia", "DebatePresidencial", "Bogotá", "PactoHistorico", "CambioClimatico")
_HANDLES = ("petrogustavo", "FicoGutierrez", "sergio_fajardo", "ingrodolfohdez", "elespectador", "NoticiasCaracol")
_PLACES = ("Bogotá, D.C., Colombia", "Medellín", "Cali, Valle del Cauca", "Barranquilla", "Colombia", "Pasto", "")
_WORDS = tuple(
    a + b for a in ("cam", "par", "sol", "ver", "tor", "mar", "pen", "lib", "gra", "fel", "con", "dis", "tra", "per")
    for b in ("ino", "tido", "ada", "eza", "bien", "ales", "ura", "encia", "oso", "ando", "iste", "aron", "idad", "ero")
)  # fmt: skip


def text_of(number: int, draw: random.Random) -> str:
    """Return a Spanish text of the length of a tweet, with a few words of a long tail."""
    words = " ".join(draw.choices(_WORDS, k=6))
    return (
        f"{draw.choice(_SUBJECTS)} {draw.choice(_VERBS)} {draw.choice(_OBJECTS)}, {draw.choice(_TAILS)} {words} "
        f"@{draw.choice(_HANDLES)} #{draw.choice(_TAGS)} https://t.co/{number:010x}"
    )


def time_of(number: int) -> datetime:
    """Return when tweet ``number`` was written: five a minute."""
    return START + timedelta(seconds=12 * number)


def id_of(number: int) -> int:
    """Return the snowflake of tweet ``number``."""
    return (int(time_of(number).timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22 | number & 0xFFF


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def user(number: int) -> dict[str, Any]:
    """Return an author as X API v2 gives one with all fields."""
    return {
        "id": str(10_000 + number), "username": f"usuario_{number}", "name": f"Usuario {number}", "protected": False,
        "created_at": _iso(datetime(2012, 1, 1, tzinfo=UTC) + timedelta(days=number % 5000)),
        "verified": not number % 97,
        "description": f"Opiniones propias. Hincha número {number} de la selección.",
        "location": _PLACES[number % len(_PLACES)],
        "profile_image_url": f"https://pbs.twimg.com/profile_images/{number}/x_normal.jpg", "url": "",
        "public_metrics": {
            "followers_count": number * 7 % 9000, "following_count": number * 3 % 2000,
            "tweet_count": number * 11 % 40000,
            "listed_count": number % 30,
        },
    }  # fmt: skip


def tweet(number: int, draw: random.Random) -> dict[str, Any]:
    """Return tweet ``number`` as X API v2 gives one with all fields."""
    key, text, author = id_of(number), text_of(number, draw), draw.randrange(20_000)
    handle, tag = text.split("@")[1].split(" ")[0], text.split("#")[1].split(" ")[0]
    return {
        "id": str(key), "text": text, "author_id": str(10_000 + author), "conversation_id": str(key), "lang": "es",
        "created_at": _iso(time_of(number)), "possibly_sensitive": False, "reply_settings": "everyone",
        "edit_history_tweet_ids": [str(key)],
        "edit_controls": {"edits_remaining": 5, "is_edit_eligible": True,
                          "editable_until": _iso(time_of(number + 300))},
        "public_metrics": {
            "retweet_count": draw.randrange(50), "reply_count": draw.randrange(20), "like_count": draw.randrange(300),
            "quote_count": draw.randrange(5), "bookmark_count": 0, "impression_count": draw.randrange(9000),
        },
        "entities": {
            "mentions": [{"start": 90, "end": 104, "username": handle, "id": "77"}],
            "hashtags": [{"start": 105, "end": 120, "tag": tag}],
            "urls": [{"start": 121, "end": 144, "url": f"https://t.co/{number:010x}", "display_url": "example.com/…",
                      "expanded_url": f"https://example.com/noticias/{number}"}],
            "annotations": [{"start": 0, "end": 9, "probability": 0.61, "type": "Person", "normalized_text": text[:9]}],
        },
        "context_annotations": [
            {"domain": {"id": "35", "name": "Politician", "description": "Politicians in the world, like Joe Biden"},
             "entity": {"id": "1070032753834438656", "name": "Colombia politics"}},
            {"domain": {"id": "131", "name": "Unified Twitter Taxonomy", "description": "A taxonomy of interests."},
             "entity": {"id": "847878884917886977", "name": "Politics", "description": "Politics"}},
        ],
    }  # fmt: skip


def pages(tweets: int, *, first: int = 0, repeats: float = 0.02) -> Iterator[bytes]:
    """Yield twarc pages as lines; a share ``repeats`` of the tweets comes twice, as overlapping searches bring them."""
    draw = random.Random(first + 1)
    for start in range(first, first + tweets, PAGE):
        data = [tweet(number, draw) for number in range(start, min(start + PAGE, first + tweets))]
        for place in draw.sample(range(1, len(data)), int(len(data) * repeats)):
            data[place] = data[place - 1]
        authors = sorted({int(t["author_id"]) - 10_000 for t in data})
        page = {
            "data": data, "includes": {"users": [user(number) for number in authors]},
            "meta": {"newest_id": data[-1]["id"], "oldest_id": data[0]["id"], "result_count": len(data)},
            "__twarc": {"url": "https://api.twitter.com/2/tweets/search/all", "version": "2.14.1",
                        "retrieved_at": "2026-11-01T00:00:00+00:00"},
        }  # fmt: skip
        yield orjson.dumps(page) + b"\n"


def write_pages(path: Path, tweets: int) -> None:
    """Write a file of twarc pages."""
    with path.open("wb") as file:
        file.writelines(pages(tweets))
