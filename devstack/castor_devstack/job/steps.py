"""The steps of the main job, each over the services' public interface."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from castor_devstack.errors import DevstackError
from castor_devstack.job import report as reporting
from castor_devstack.job.ingress_client import ErrorAnswer
from castor_devstack.job.source import Source
from castor_devstack.job.span import Span, end_of, wire_time
from castor_devstack.job.traced_client import TracedClient

CHUNK_BYTES = 64 * 1024
STALL_SECONDS = 180
HORIZON_DAYS = 14
LEAST_SHARE = 0.02
Json = dict[str, Any]


class Job:
    """One run of the main job; ``timings`` are seconds by step."""

    def __init__(self, client: TracedClient, progress: reporting.Progress) -> None:
        self._client = client
        self._progress = progress
        self._series: dict[str, list[float | None]] = {}
        self._names: dict[str, str] = {}
        self._degraded: list[str] = []
        self._daily: list[Json] = []
        self._began = time.monotonic()
        self.timings: dict[str, float] = {}

    def main(self, source: Source, question: str | None) -> Json:
        """Run all steps and return the report."""
        for entity in source.about.get("entities", ()):
            self._track(entity)
        with self._timed("import"):
            done = self._import(source)
        with self._timed("score"):
            self._wait_for_scores()
        self.timings["import_to_last_score"] = round(self.timings["import"] + self.timings["score"], 2)
        with self._timed("judge"):
            self._wait_for_targets()
        span = Span.of(done)
        sentiment = self._sentiment(span)
        self._daily = list(self._daily_counts(span))
        with self._timed("trending"):
            trending = self._trending(span)
        with self._timed("index"):
            documents = self._wait_for_index()
        with self._timed("answer"):
            rag = {"documents": documents, **self._answer(question or _question(source, trending), span)}
        with self._timed("forecast"):
            forecast = self._forecast(span)
        self.timings["total"] = round(time.monotonic() - self._began + self.timings.get("up", 0), 2)
        return {
            "input": {name: done[name] for name in ("rows", "accepted", "duplicates", "rejected", "rejections")},
            "sentiment": sentiment,
            "trending": trending,
            "rag": rag,
            "forecast": forecast,
            "timings_s": self.timings,
        }

    def context(self, report: Path | None) -> reporting.Context:
        """Return what the printed summary shows besides the result."""
        return reporting.Context(
            self._series, self._names, self._degraded, self._client.url, self._client.trace_id, report
        )

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.timings[name] = round(time.monotonic() - started, 2)

    def _track(self, entity: Json) -> None:
        try:
            self._client.call("POST", "/v1/twitter/entities", entity)
        except ErrorAnswer as error:
            if error.status != 409:
                raise

    def _import(self, source: Source) -> Json:
        size = source.path.stat().st_size
        query = urlencode({"filename": source.path.name, "track_authors": "true"})

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
                raise DevstackError(f"{source.path}: {error}", exit_code=2) from error
            raise
        done: Json = answer["data"]
        self._progress.done(f"import: {_imported(done)}")
        return done

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

    def _wait(self, step: str, unit: str, look: Callable[[], tuple[int, int]]) -> tuple[int, int]:
        """Poll ``look`` for (done, total) until both are equal.

        Raises ``DevstackError`` when ``done`` has not grown for ``STALL_SECONDS``.
        """
        best, moved_at = -1, time.monotonic()
        while True:
            done, total = look()
            self._progress.show(step, done, total, unit)
            if done >= total:
                return done, total
            if done > best:
                best, moved_at = done, time.monotonic()
            if time.monotonic() - moved_at > STALL_SECONDS:
                sentence = f"{step}: no progress for {STALL_SECONDS} s at {done} of {total} {unit}"
                raise DevstackError(f"{sentence}; `castor status` and `castor logs` show why.")
            time.sleep(0.2)

    def _sentiment(self, span: Span) -> Json:
        totals = self._client.get("/v1/twitter/counts/total", since=span.since, until=span.until)["data"]
        counted = {name: totals[name] for name in ("scored", "positive", "neutral", "negative")}
        return {**counted, "model": ", ".join(totals["models"])}

    def _follow(self, step: str, path: str) -> Json:
        """Wait until a consumer has read the feed up to its present end; return the consumer's status."""
        head = int(self._client.get("/v1/twitter/scores/progress")["data"]["feed_head"])

        def look() -> tuple[int, int]:
            return min(int(self._client.get(path)["data"]["cursor"]), head), head

        self._wait(step, "changes", look)
        status: Json = self._client.get(path)["data"]
        return status

    def _trending(self, span: Span) -> Json:
        self._follow("trending", "/v1/trending/status")
        as_of = wire_time(min(end_of(self._busiest_day(span)), span.last))
        asked = {"as_of": as_of, "window_hours": 24, "limit": 10, "min_tweets": 3}
        found = self._client.get("/v1/trending/topics", **asked)
        if len(found["data"]["items"]) < 5:
            found = self._client.get("/v1/trending/topics", **{**asked, "min_tweets": 2})
        shown = ("topic", "tweets", "score", "why")
        topics = [{name: topic[name] for name in shown} for topic in found["data"]["items"]]
        self._progress.done(f"trending: {len(topics)} topics in the 24 h before {as_of}")
        return {"as_of": as_of, "topics": topics}

    def _busiest_day(self, span: Span) -> date:
        days: dict[str, int] = {}
        for row in self._daily:
            days[row["date"]] = row["total_tweets"]
        return date.fromisoformat(max(sorted(days), key=lambda day: days[day])) if days else span.last.date()

    def _daily_counts(self, span: Span) -> Iterator[Json]:
        cursor = None
        while True:
            asked = {"since": span.since, "until": span.until, "cursor": cursor}
            answer = self._client.get("/v1/twitter/counts/daily", **asked)
            yield from answer["data"]["items"]
            cursor = answer["meta"]["next_cursor"]
            if cursor is None:
                return

    def _wait_for_index(self) -> int:
        self._follow("index", "/v1/rag/status")

        def look() -> tuple[int, int]:
            status = self._client.get("/v1/rag/status")["data"]
            return status["documents"] - status["pending"], status["documents"]

        _, documents = self._wait("index", "documents", look)
        self._progress.done(f"index: {documents:,} documents can be searched")
        return documents

    def _answer(self, question: str, span: Span) -> Json:
        body = {"question": question, "as_of": wire_time(span.last)}
        answer = self._client.call("POST", "/v1/rag/query", body, seconds=120)
        self._degraded = (answer.get("meta") or {}).get("degraded") or []
        data = answer["data"]
        citations = [{"id": cited["id"], "quote": cited["quote"]} for cited in data["citations"]]
        self._progress.done(f"answer: {len(citations)} quotes")
        return {"question": question, "answer": data["answer"], "citations": citations}

    def _forecast(self, span: Span) -> list[Json]:
        counted: dict[str, int] = {}
        for row in self._daily:
            counted[row["entity"]] = counted.get(row["entity"], 0) + row["tweets"]
        # An entity of another campaign may be counted because it shares a first name with somebody in this file.
        least = LEAST_SHARE * sum(counted.values())
        entities = [
            entity
            for entity in self._client.get("/v1/twitter/entities")["data"]["items"]
            if counted.get(entity["id"], 0) > least
        ]
        forecasts = [self._predict(entity, span) for entity in entities]
        self._progress.done(f"forecast: {len(forecasts)} entities, {HORIZON_DAYS} days ahead")
        return sorted(forecasts, key=lambda forecast: -(forecast["icce"] or 0))

    def _predict(self, entity: Json, span: Span) -> Json:
        as_of = wire_time(span.last)
        series = self._client.get("/v1/forecast/icce", entity=entity["id"], as_of=as_of, days_back=90)["data"]
        self._series[entity["id"]] = [day["icce"] for day in series["items"]]
        self._names[entity["id"]] = entity["name"]
        body = {"entity": entity["id"], "as_of": as_of, "horizon_days": HORIZON_DAYS}
        try:
            made = self._client.call("POST", "/v1/forecast/predictions", body, seconds=120)["data"]
        except ErrorAnswer as error:
            if error.code not in ("too_few_days", "data_too_old"):
                raise
            made = {**series, "points": []}
        return {name: made[name] for name in ("entity", "icce", "days_observed", "points")}


def _imported(done: Json) -> str:
    parts = [f"{done['accepted']:,} accepted"]
    if done["duplicates"]:
        parts.append(f"{done['duplicates']:,} were already stored")
    if done["rejected"]:
        parts.append(f"{done['rejected']:,} rejected")
    return ", ".join(parts)


def _question(source: Source, trending: Json) -> str:
    if "question" in source.about:
        return str(source.about["question"])
    topics = trending["topics"]
    return f"¿Qué se dice de {topics[0]['topic']}?" if topics else "¿Qué se propone para el país?"
