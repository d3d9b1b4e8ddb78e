"""The steps of the main job up to where everything is computed, over the services' public interface."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from castor_devstack.errors import DevstackError
from castor_devstack.job.findings import Findings
from castor_devstack.job.ingress_client import ErrorAnswer
from castor_devstack.job.progress import Progress
from castor_devstack.job.request import FileHints, JobRequest, as_options, followed
from castor_devstack.job.source import SAMPLE_DATASET, Source
from castor_devstack.job.span import Span
from castor_devstack.job.traced_client import Json, TracedClient

CHUNK_BYTES = 64 * 1024
STALL_SECONDS = 180
MATCH_STALL_SECONDS = 3600
"""Names that are created together are matched together with all stored tweets: their number stays until the end."""
IMPORTED = ("rows", "accepted", "duplicates", "rejected", "rejections")


class Job:
    """One run of the main job on a data set; ``timings`` are seconds by step."""

    def __init__(self, client: TracedClient, progress: Progress, dataset: str) -> None:
        self._client = client
        self._progress = progress
        self._dataset = dataset
        self._began = time.monotonic()
        self.timings: dict[str, float] = {}

    def main(self, source: Source | None, request: JobRequest) -> Json:
        """Import the file, if there is one, wait for what is computed from it, and return the report."""
        done = self._take_in(source, request.hints) if source else self._stored()
        span = Span.of(done).within(request.since, request.until)
        about = source.about if source else {}
        findings = Findings(self._client, self._progress, self._dataset, span)
        with self._timed("trending"):
            self._follow("trending", "/v1/trending/status")
            trending = findings.trending()
        with self._timed("index"):
            self._wait_for_index()
        question = request.question or _question(about, trending)
        with self._timed("answer"):
            rag = findings.answer(question)
        with self._timed("forecast"):
            forecast = findings.forecasts()
        self.timings["total"] = round(time.monotonic() - self._began + self.timings.get("up", 0), 2)
        return {
            "dataset": self._dataset,
            "synthetic": self._dataset == SAMPLE_DATASET,
            "span": {**span.days, "as_of": span.as_of},
            "input": {name: done[name] for name in IMPORTED} if source else None,
            "sentiment": findings.sentiment(),
            "weeks": findings.weeks(),
            "trending": trending,
            "rag": rag,
            "forecast": forecast,
            "notes": findings.notes,
            "timings_s": self.timings,
        }

    def _take_in(self, source: Source, hints: FileHints) -> Json:
        for entity in source.about.get("entities") or followed(hints.follow):
            self._track(entity)
        before = self._found()
        with self._timed("import"):
            done = self._import(source, hints)
        if before and done["duplicates"] < before["tweets"]:
            self._progress.done(_mixed(self._dataset, before["tweets"]))
        with self._timed("score"):
            self._wait_for_matching()
            self._wait_for_scores()
        self.timings["import_to_last_score"] = round(self.timings["import"] + self.timings["score"], 2)
        with self._timed("judge"):
            self._wait_for_targets()
        return done

    def _stored(self) -> Json:
        """Return what is stored of the data set; raises ``DevstackError`` when there is none of that name."""
        found = self._found()
        if found is None:
            sentence = f"No data set has the name {self._dataset}"
            raise DevstackError(f"{sentence}; import a file with `castor demo --input FILE`.", exit_code=2)
        return found

    def _found(self) -> Json | None:
        """Return the data set as it is stored, if it is."""
        cursor = None
        while True:
            answer = self._client.get("/v1/twitter/datasets", limit=200, cursor=cursor)
            for found in answer["data"]["items"]:
                if found["name"] == self._dataset:
                    return dict(found)
            cursor = answer["meta"]["next_cursor"]
            if cursor is None:
                return None

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.timings[name] = round(time.monotonic() - started, 2)

    def _track(self, entity: Json) -> None:
        wanted = {**entity, "datasets": [self._dataset]}
        try:
            self._client.call("POST", "/v1/twitter/entities", wanted)
        except ErrorAnswer as error:
            if error.status != 409:
                raise
            path = f"/v1/twitter/entities/{entity['id']}"
            others = self._client.get(path)["data"]["datasets"]
            # Without any it is an entity of every data set, and stays so.
            if others and self._dataset not in others:
                self._client.call("PATCH", path, {"datasets": [*others, self._dataset]})

    def _import(self, source: Source, hints: FileHints) -> Json:
        size = source.path.stat().st_size
        query = urlencode({"filename": source.path.name, "dataset": self._dataset, **hints.query})

        def chunks() -> Iterator[bytes]:
            sent = 0
            with source.path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
                    sent += len(chunk)
                    self._progress.show("import", sent, size, "bytes")

        try:
            answer = self._client.call(
                "POST", f"/v1/twitter/imports?{query}", chunks(), seconds=3600, Content_Type=source.media_type
            )
        except ErrorAnswer as error:
            if error.status in (400, 413, 422):
                raise DevstackError(f"{source.path}: {as_options(str(error))}", exit_code=2) from error
            raise
        done: Json = answer["data"]
        self._progress.done(f"import: {_imported(done)}")
        if authors := len(done.get("entities_created", ())):
            self._progress.done(f"note: {_authors(authors)}")
        return done

    def _wait_for_matching(self) -> None:
        """Wait until whom the data set follows was looked for in what was stored before."""

        def look() -> tuple[int, int]:
            found = self._client.get("/v1/twitter/entities", dataset=self._dataset)["data"]["items"]
            return sum(1 for one in found if not one["matching"]), len(found)

        self._wait("match", "names", look, MATCH_STALL_SECONDS)

    def _wait_for_scores(self) -> None:
        def look() -> tuple[int, int]:
            state = self._client.get("/v1/twitter/scores/progress")["data"]
            return state["tweets"] - state["pending"], state["tweets"]

        scored, _ = self._wait("score", "tweets", look)
        self._progress.done(f"score: {scored:,} tweets have their sentiment")

    def _wait_for_targets(self) -> None:
        """Wait for the sentiment towards each tracked entity, so that a second run counts the same."""

        def waiting() -> int:
            return int(self._client.get("/v1/twitter/scores/progress")["data"]["targets_pending"])

        first = waiting()
        if first:
            self._wait("judge", "names in tweets", lambda: (max(0, first - waiting()), first))

    def _wait(
        self, step: str, unit: str, look: Callable[[], tuple[int, int]], stall_seconds: int = STALL_SECONDS
    ) -> tuple[int, int]:
        """Poll ``look`` for (done, total) until both are equal.

        Raises ``DevstackError`` when ``done`` has not grown for ``stall_seconds``.
        """
        best, moved_at = -1, time.monotonic()
        while True:
            done, total = look()
            self._progress.show(step, done, total, unit)
            if done >= total:
                return done, total
            if done > best:
                best, moved_at = done, time.monotonic()
            if time.monotonic() - moved_at > stall_seconds:
                sentence = f"{step}: no progress for {stall_seconds} s at {done} of {total} {unit}"
                raise DevstackError(f"{sentence}; `castor status` and `castor logs` show why.")
            time.sleep(0.2)

    def _follow(self, step: str, path: str) -> None:
        """Wait until a consumer has read the feed up to its present end."""
        head = int(self._client.get("/v1/twitter/scores/progress")["data"]["feed_head"])
        self._wait(step, "changes", lambda: (min(int(self._client.get(path)["data"]["cursor"]), head), head))

    def _wait_for_index(self) -> None:
        self._follow("index", "/v1/rag/status")

        def look() -> tuple[int, int]:
            status = self._client.get("/v1/rag/status")["data"]
            return status["documents"] - status["pending"], status["documents"]

        _, documents = self._wait("index", "documents", look)
        self._progress.done(f"index: {documents:,} documents can be searched")


def _mixed(dataset: str, tweets: int) -> str:
    sentence = f"the data set {dataset} held {tweets:,} tweets, not all of which are in this file"
    return f"note: {sentence}; the report is of them too. --dataset NAME keeps a file by itself"


def _authors(count: int) -> str:
    who = "its author is" if count == 1 else f"its {count} most active authors are"
    return (
        f"the file speaks of nobody who is followed, so {who} shown as candidates; --follow NAME,NAME says whom instead"
    )


def _imported(done: Json) -> str:
    parts = [f"{done['accepted']:,} accepted"]
    if done["duplicates"]:
        parts.append(f"{done['duplicates']:,} were already stored")
    if done["rejected"]:
        parts.append(f"{done['rejected']:,} rejected")
    return ", ".join(parts)


def _question(about: Json, trending: Json) -> str:
    if "question" in about:
        return str(about["question"])
    topics = trending["topics"]
    return f"¿Qué se dice de {topics[0]['topic']}?" if topics else "¿Qué se propone para el país?"
