"""What the services say about one data set in one period: the parts of the report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property

from castor_devstack.job.ingress_client import ErrorAnswer
from castor_devstack.job.progress import Progress
from castor_devstack.job.source import SAMPLE_DATASET
from castor_devstack.job.span import Span, end_of, wire_time
from castor_devstack.job.traced_client import Json, TracedClient

HORIZON_DAYS = 14
SERIES_DAYS = 90
MOST_TOTALS = 366
"""Days whose tweets are asked for one by one."""
SUMS = ("tweets", "scored", "targeted", "positive", "neutral", "negative")
DAY = (
    "date", "tweets", "icce", "low", "high", "smoothed", "gap", "silent", "judged_towards", "judged_by_text",
)  # fmt: skip
CITED = ("id", "quote", "author", "published_at")


class Findings:
    """Asks for one data set and period; ``notes`` say what could not be asked so."""

    def __init__(self, client: TracedClient, progress: Progress, dataset: str, span: Span) -> None:
        self._client = client
        self._progress = progress
        self._dataset = dataset
        self._span = span
        self.notes: list[str] = []

    def sentiment(self) -> Json:
        """Return the sentiment of all tweets of the period, and towards each entity."""
        totals = self._total(self._span.first, self._span.last)
        counted = {name: totals[name] for name in ("tweets", "scored", "positive", "neutral", "negative")}
        entities = [{"entity": entity["id"], "name": entity["name"], **self._sum(entity)} for entity in self.entities]
        return {**counted, "model": ", ".join(totals["models"]), "entities": entities, "days": self._volume}

    def weeks(self) -> Json:
        """Return the last seven days of the period and the seven before, of each entity."""
        found: Json = self._client.get("/v1/forecast/weeks", dataset=self._dataset, as_of=self._span.as_of)["data"]
        names = {entity["id"]: entity["name"] for entity in self.entities}
        if not found["items"]:
            # It knows the totals of days from the counts of entities.
            now, before = (date.fromisoformat(found["since"]) - timedelta(days=back) for back in (0, 7))
            totals = (self._total(day, day + timedelta(days=6))["tweets"] for day in (now, before))
            found["total_tweets"], found["total_tweets_before"] = totals
        items = [{**one, "name": names[one["entity"]]} for one in found["items"] if one["entity"] in names]
        return {**found, "items": items}

    def trending(self) -> Json:
        """Return the topics of the busiest day of the period, the latest of equal ones, which has most days before it.

        Where it is not known which that is, they are those of the last day; ``degraded``: parts of them are weak.
        """
        busiest = max(self._volume, key=lambda one: (one["tweets"], one["date"]), default=None)
        day = date.fromisoformat(busiest["date"]) if busiest else self._span.last
        as_of = wire_time(end_of(day))
        asked = {"as_of": as_of, "window_hours": 24, "limit": 10, "min_tweets": 3}
        found, degraded = self._topics(asked)
        if len(found) < 5:
            found, degraded = self._topics({**asked, "min_tweets": 2})
        self._progress.done(f"trending: {len(found)} topics in the 24 h before {as_of}")
        about = {"as_of": as_of, "day": day.isoformat(), "is_busiest": busiest is not None, "degraded": degraded}
        return {**about, "topics": found}

    def answer(self, question: str) -> Json:
        """Return an answer from documents of the period, with each quote's author, date, link and whole text."""
        body = {"question": question, "as_of": self._span.as_of, "filters": {"since": self._span.begin}}
        try:
            scoped = {**body, "filters": {**body["filters"], "dataset": self._dataset}}  # type: ignore[dict-item]
            answer = self._client.call("POST", "/v1/rag/query", scoped, seconds=120)
        except ErrorAnswer as error:
            if error.code != "validation_error":
                raise
            self.notes.append("answer_of_all_data_sets")
            answer = self._client.call("POST", "/v1/rag/query", body, seconds=120)
        data = answer["data"]
        citations = [self._citation(cited) for cited in data["citations"]]
        self._progress.done(f"answer: {len(citations)} quotes")
        degraded = (answer.get("meta") or {}).get("degraded") or []
        return {"question": question, "answer": data["answer"], "degraded": degraded, "citations": citations}

    def forecasts(self) -> list[Json]:
        """Return the index of each entity by day and its forecast, the entity with the most tweets first."""
        made = [self._forecast(entity) for entity in self.entities]
        self._progress.done(f"forecast: {len(made)} entities, {HORIZON_DAYS} days ahead")
        return made

    @cached_property
    def entities(self) -> list[Json]:
        """Entities of the data set, that with the most tweets first; those of every data set only where named."""
        found = self._client.get("/v1/twitter/entities", dataset=self._dataset)["data"]["items"]
        kept = [one for one in found if self._sum(one)["tweets"] or self._dataset in one["datasets"]]
        return sorted(kept, key=lambda one: (-self._sum(one)["tweets"], one["id"]))

    def _sum(self, entity: Json) -> dict[str, int]:
        return self._sums.get(entity["id"], dict.fromkeys(SUMS, 0))

    @cached_property
    def _sums(self) -> dict[str, dict[str, int]]:
        sums: dict[str, dict[str, int]] = {}
        for row in self._daily:
            own = sums.setdefault(row["entity"], dict.fromkeys(SUMS, 0))
            for name in SUMS:
                own[name] += row[name]
        return sums

    @cached_property
    def _daily(self) -> list[Json]:
        return list(self._daily_counts())

    def _daily_counts(self) -> Iterator[Json]:
        cursor = None
        while True:
            asked = {"dataset": self._dataset, **self._span.days, "cursor": cursor}
            answer = self._client.get("/v1/twitter/counts/daily", **asked)
            yield from answer["data"]["items"]
            cursor = answer["meta"]["next_cursor"]
            if cursor is None:
                return

    @cached_property
    def _volume(self) -> list[Json]:
        """All tweets of the data set by day; nothing where it is not known."""
        days = {row["date"]: row["total_tweets"] for row in self._daily} or self._totals()
        return [{"date": day, "tweets": days[day]} for day in sorted(days)]

    def _totals(self) -> dict[str, int]:
        """Return all tweets of each day where nobody is tracked, so that no count of an entity says it."""
        last, count = self._span.last, (self._span.last - self._span.first).days + 1
        if count > MOST_TOTALS:
            self.notes.append("volume_not_known")
            return {}
        days = [last - timedelta(days=back) for back in range(count)]
        return {day.isoformat(): int(self._total(day, day)["tweets"]) for day in days}

    def _total(self, since: date, until: date) -> Json:
        """Return the counts of all tweets of some days, both inclusive."""
        days = {"since": since.isoformat(), "until": until.isoformat()}
        found: Json = self._client.get("/v1/twitter/counts/total", dataset=self._dataset, **days)["data"]
        return found

    def _topics(self, asked: Json) -> tuple[list[Json], list[str]]:
        """Return topics, and which parts of them the service calls weak."""
        try:
            found = self._client.get("/v1/trending/topics", **asked, dataset=self._dataset)
        except ErrorAnswer as error:
            if error.code != "validation_error":
                raise
            if "topics_of_all_data_sets" not in self.notes:
                self.notes.append("topics_of_all_data_sets")
            found = self._client.get("/v1/trending/topics", **asked)
        shown = ("topic", "tweets", "authors", "expected", "score", "why")
        topics = [{name: topic[name] for name in shown} for topic in found["data"]["items"]]
        return topics, found["meta"].get("degraded") or []

    def _citation(self, cited: Json) -> Json:
        """Return a quote with the tweet that it stands in; None for the parts that are not known."""
        source, _, number = cited["id"].partition(":")
        text = link = None
        if source == "tweet":
            try:
                tweet = self._client.get(f"/v1/twitter/tweets/{number}")["data"]
            except ErrorAnswer as error:
                if error.status != 404:
                    raise
            else:
                text = tweet["text"]
                # Nobody wrote the tweets of the sample, whose names and numbers may be somebody's on X.
                is_invented = SAMPLE_DATASET in tweet["datasets"]
                link = None if is_invented else f"https://x.com/{tweet['username']}/status/{number}"
        return {**{name: cited[name] for name in CITED}, "text": text, "link": link}

    def _forecast(self, entity: Json) -> Json:
        asked = {"entity": entity["id"], "as_of": self._span.as_of, "dataset": self._dataset}
        series = self._client.get("/v1/forecast/icce", **asked, days_back=SERIES_DAYS)["data"]
        try:
            body = {**asked, "horizon_days": HORIZON_DAYS}
            made = self._client.call("POST", "/v1/forecast/predictions", body, seconds=120)["data"]
        except ErrorAnswer as error:
            if error.code not in ("too_few_days", "data_too_old"):
                raise
            made = {**series, "points": [], "refused": error.code}
        shown = {
            name: made.get(name) for name in ("entity", "icce", "days_observed", "points", "level", "skill", "notes")
        }
        days = [{name: day[name] for name in DAY} for day in series["items"]]
        return {**shown, "name": entity["name"], "refused": made.get("refused"), "series": days}
