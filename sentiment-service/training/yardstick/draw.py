"""Draw the texts and the (text, target) pairs of the yardstick from collections of real posts.

Every post has the same chance within its collection; what is no Spanish sentence is left out by rules that see
neither a model nor a label. The draw is repeatable: same files and same seed give the same rows.

    python training/yardstick/draw.py FOLDER --out drawn/

``FOLDER`` has the CSV files named in ``COLLECTIONS`` (columns id, username, created_at, text). Writes ``texts.tsv``
(number, id, text) and ``pairs.tsv`` (number, id, target, text) for the readers. These hold other people's words and
are not part of the repository: it keeps ids, hashes and labels.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

COLLECTIONS = {
    "co_replies_to_candidates_2021": (250, 250),
    "co_replies_to_president_2025": (130, 60),
    "co_viral_javeriana_2022": (70, 10),
    "co_control_trends_2021": (90, 20),
}
"""Collection -> (number of texts, number of pairs)."""

WORDS = "de la que el en y a los se no un por con las para una lo es del al su como más pero ya"
SPANISH = frozenset(WORDS.split())
TARGETS = (
    "Petro|Uribe|Duque|Fajardo|Fico|Federico Gutiérrez|Rodolfo|Char|Galán|Robledo|Claudia López|Peñalosa|Santos|"
    "Maduro|Chávez|Cepeda|Bolívar|Gaviria|Zuluaga|Cabal|Barreras|Benedetti|Francia Márquez|Daniel Quintero|Quintero|"
    "Centro Democrático|Pacto Histórico|Partido Verde|Partido Liberal|Partido Conservador|Cambio Radical|Farc|ELN|"
    "la policía|el Esmad|Esmad|el Congreso|la Fiscalía|la Corte|Fecode|Ecopetrol|Fedegán|RCN|Caracol|Semana|"
    "Javeriana|James Rodríguez|James|Millonarios|Nacional|América|la selección|Falcao|Yerry Mina"
)
TARGET = re.compile(rf"@\w{{3,15}}|\b(?:{TARGETS})\b", re.IGNORECASE)


def main() -> None:
    """Write the two files of a draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20261129)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    texts: list[tuple[str, str]] = []
    pairs: list[tuple[str, str, str]] = []
    for name, (count_of_texts, count_of_pairs) in COLLECTIONS.items():
        posts = sorted(eligible(options.folder / f"{name}.csv"))
        chance.shuffle(posts)
        texts += posts[:count_of_texts]
        pairs += list(targets_of(posts[count_of_texts:], chance))[:count_of_pairs]
    chance.shuffle(texts)
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out / "texts.tsv", texts)
    write(options.out / "pairs.tsv", pairs)


def eligible(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (id, text) of the posts with at least four words, two of them Spanish function words, each text once."""
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            text = " ".join(unicodedata.normalize("NFC", row["text"] or "").split())
            words = re.findall(r"[^\W\d_]+", re.sub(r"@\w+|https?://\S+", " ", text).lower())
            if len(words) < 4 or len(SPANISH.intersection(words)) < 2 or " ".join(words) in seen:
                continue
            seen.add(" ".join(words))
            yield row["id"], text


def targets_of(posts: list[tuple[str, str]], chance: random.Random) -> Iterator[tuple[str, str, str]]:
    """Yield (id, target, text): up to two different targets of each post that names one outside its opening handles."""
    for identifier, text in posts:
        body = re.sub(r"^(?:@\w+\s+)+", "", text)
        named = list({found.group().lower(): found.group() for found in TARGET.finditer(body)}.values())
        for target in chance.sample(named, min(2, len(named))):
            yield identifier, target, text


def write(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Write numbered rows, tab-separated."""
    lines = ("\t".join((str(number), *row)) for number, row in enumerate(rows, 1))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
