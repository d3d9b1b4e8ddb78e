"""A small result of the main job, as `castor demo` writes it, with texts that try to become markup."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

HOSTILE = "<script>alert('x')</script> & \"más\""
FIRST = date(2022, 5, 1)


def week(tweets: int, icce: float | None, note: str | None = None) -> dict[str, Any]:
    """Return a week of an entity."""
    low, high = (None, None) if icce is None else (icce - 4, icce + 4)
    return {
        "tweets": tweets, "scored": tweets, "positive": tweets, "negative": 0, "share_of_voice": 0.5, "share_low": 0.4,
        "share_high": 0.6, "isn": 1.0, "icce": icce, "low": low, "high": high, "note": note,
    }  # fmt: skip


def result() -> dict[str, Any]:
    """Return a report of two entities, one of them silent this week."""
    days = [(FIRST + timedelta(days=number)).isoformat() for number in range(20)]
    series = [
        {"date": day, "tweets": 3, "icce": None if place == 9 else 40.0 + place, "low": 30.0, "high": 50.0,
         "smoothed": None if place == 9 else 41.0 + place, "gap": place == 9, "silent": False,
         "judged_towards": 2, "judged_by_text": 1}
        for place, day in enumerate(days)
    ]  # fmt: skip
    counts = {"tweets": 1234, "scored": 1000, "targeted": 10, "positive": 500, "neutral": 300, "negative": 200}
    ana = {"entity": "ana", "name": f"Ana {HOSTILE}", "change": 5.5, "change_low": 1.0, "change_high": 10.0,
           "certain": True, "now": week(60, 61.25), "before": week(40, 55.75, "few_tweets")}  # fmt: skip
    luis = {**ana, "entity": "luis", "name": "Luis", "change": None, "change_low": None, "change_high": None,
            "certain": False, "now": week(0, None, "silent"), "before": week(5, 20.0, "few_tweets")}  # fmt: skip
    points = [{"date": "2022-05-21", "value": 60.0, "low": 52.5, "high": 66.0}]
    made = {"icce": 59.0, "days_observed": 19, "level": 0.8, "skill": 0.1, "notes": ["stale"], "refused": None}
    return {
        "dataset": "campana",
        "synthetic": True,
        "span": {"since": days[0], "until": days[-1], "as_of": "2022-05-21T05:00:00.000Z"},
        "input": {"rows": 1300, "accepted": 1234, "duplicates": 60, "rejected": 6,
                  "rejections": [{"line": 7, "reason": f"created_at {HOSTILE}"}]},
        "sentiment": {**counts, "model": "m@1", "days": [{"date": day, "tweets": 50} for day in days],
                      "entities": [{"entity": one["entity"], "name": one["name"], **counts} for one in (ana, luis)]},
        "weeks": {"as_of": "2022-05-21T05:00:00Z", "since": "2022-05-14", "until": "2022-05-20", "total_tweets": 350,
                  "total_tweets_before": 340, "items": [ana, luis]},
        "trending": {"as_of": "2022-05-11T05:00:00.000Z", "day": "2022-05-10", "is_busiest": True, "degraded": [],
                     "topics": [
            {"topic": HOSTILE, "tweets": 12, "authors": 9, "expected": 0.4, "score": 8.1, "why": "12 tweets"}]},
        "rag": {"question": HOSTILE, "answer": "x", "degraded": ["llm"], "citations": [
            {"id": "tweet:1", "quote": HOSTILE, "author": "ana", "published_at": "2022-05-11T02:00:00Z",
             "text": f"antes {HOSTILE} después", "link": "https://x.com/ana/status/1"}]},
        "forecast": [
            {"entity": "ana", "name": ana["name"], **made, "points": points, "series": series},
            {"entity": "luis", "name": "Luis", **made, "points": [], "refused": "too_few_days", "series": series}],
        "notes": ["topics_of_all_data_sets"],
        "timings_s": {"total": 9.0, "import_to_last_score": 2.0},
    }  # fmt: skip
