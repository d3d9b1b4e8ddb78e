"""What the measurements here compare, each in a process of its own that is asked over a pipe of JSON lines."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

from castor_chassis.tls import TlsFiles

_HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("CASTOR_DATA") or _HERE.parents[2] / "shared" / "data")
_HF_MODEL = os.environ.get("CASTOR_HF_MODEL")
_SUBJECTS = ("El candidato", "La senadora", "Este gobierno", "El alcalde de Cali", "La propuesta de pensiones")
_VERBS = ("prometió", "defendió con calma", "volvió a negar", "no cumplió", "celebró", "explicó en el debate")
_OBJECTS = ("la reforma a la salud", "el acuerdo de paz", "los impuestos más altos", "el plan para los jóvenes")
_TAILS = (
    "qué vergüenza 😡",
    "y me alegra mucho 👏",
    "según la prensa https://t.co/x",
    "@user #Elecciones2026",
    "¿será?",
)


def tweets(count: int) -> list[str]:
    """Return distinct texts of the length of tweets."""
    path = DATA / "colombia_2022_tweets.csv"
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        # Neighbours in time are alike in length and matter: every nth is a fair sample.
        distinct = list(dict.fromkeys(texts))
        return distinct[:: max(1, len(distinct) // count)][:count]
    parts = product(range(7), _SUBJECTS, _VERBS, _OBJECTS, _TAILS)
    return [f"{one} {two} {three}, {four} y dicen que van {n} veces" for n, one, two, three, four in parts][:count]


class Worker:
    """A process that answers each JSON line with one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Send one question and return its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """Return the next line that is JSON; raises ``RuntimeError`` when the process has ended."""
        assert self._process.stdout is not None
        while row := await self._process.stdout.readline():
            if row.startswith(b"{"):
                found: dict[str, Any] = json.loads(row)
                return found
        raise RuntimeError("the process ended; what it wrote to stderr says why")

    async def run(self, texts: Sequence[str], batch: int) -> None:
        """Score texts, for the time that it takes."""
        await self.answers(texts, batch)

    async def answers(self, texts: Sequence[str], batch: int) -> list[tuple[str, float]]:
        """Return the label of each text and its probability."""
        found = (await self.ask({"texts": list(texts), "batch": batch}))["answers"]
        return [(label, probability) for label, probability in found]

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used, all threads."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Return the memory that the process has resident."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def _process(*command: str) -> AsyncIterator[tuple[Worker, dict[str, Any]]]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 24)
    try:
        worker = Worker(process)
        yield worker, await worker.answer()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def service(files: TlsFiles, given: dict[str, Any]) -> AsyncIterator[tuple[Worker, str, str]]:
    """Run sentiment-service with the settings ``given``; yield it with its URL and a token."""
    paths = map(str, (files.certificate, files.key, files.authorities))
    async with _process(sys.executable, str(_HERE / "service_process.py"), *paths, json.dumps(given)) as (
        worker,
        at,
    ):
        yield worker, at["url"], at["token"]


@asynccontextmanager
async def bare(model: str) -> AsyncIterator[Worker]:
    """Run the model without a service: all texts of a round at once, sorted by length."""
    async with _process(sys.executable, str(_HERE / "bare_process.py"), model) as (worker, _):
        yield worker


@asynccontextmanager
async def pipeline() -> AsyncIterator[Worker | None]:
    """Run ``transformers.pipeline`` on the folder CASTOR_HF_MODEL; None when there is none."""
    if not _HF_MODEL:
        print("no CASTOR_HF_MODEL: the rows of the torch pipeline are left out")
        yield None
        return
    uv = [str(Path(sys.executable).with_name("uv")), "run", "--isolated", "--no-project"]
    torch = os.environ.get("CASTOR_TORCH_PYTHON")
    # Its threads are to sleep while they wait: spinning takes the processors from itself on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    command = [torch] if torch else [*uv, "--with", "torch", "--with", "transformers", "python"]
    async with _process(*command, str(_HERE / "pipeline_process.py"), _HF_MODEL) as (worker, _):
        yield worker
