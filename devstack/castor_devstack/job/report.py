"""What `castor demo` prints: a summary of one screen."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castor_devstack.job.request import as_options
from castor_devstack.job.span import bogota_date

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 100
SPARK_POINTS = 24
SHOWN_CANDIDATES = 12
Json = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """What the summary shows besides the result."""

    ingress: str
    trace: str
    written: Sequence[Path]
    """Files that hold the whole report."""


def show(result: Json, context: Context) -> None:
    """Print the summary."""
    print("\n".join(lines(result, context)))


def lines(result: Json, context: Context) -> list[str]:
    """Return the lines of the summary."""
    return [
        "",
        *_summary(result),
        "",
        *_candidates(result),
        "",
        *_topics(result["trending"]),
        "",
        *_answer(result["rag"], result["dataset"]),
        "",
        *_next(context),
    ]


def thinned(values: Sequence[float | None], points: int = SPARK_POINTS) -> list[float | None]:
    """Return at most ``points`` means of consecutive values; None where no value of a group is known."""
    width = max(1, -(-len(values) // points))
    groups = [values[start : start + width] for start in range(0, len(values), width)]
    known = [[value for value in group if value is not None] for group in groups]
    return [sum(group) / len(group) if group else None for group in known]


def sparkline(values: Sequence[float | None], scale: tuple[float, float]) -> str:
    """Return a bar for each value, between the ends of ``scale``; what has no value is a dot."""
    return "".join("·" if value is None else _bar(value, scale) for value in values)


def scale_of(series: Sequence[Sequence[float | None]]) -> tuple[float, float]:
    """Return the lowest and the highest value of all series, so that their lines can be compared."""
    known = [value for values in series for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 100.0)


def _bar(value: float, scale: tuple[float, float]) -> str:
    low, high = scale
    share = (value - low) / (high - low) if high > low else 0.5
    return BLOCKS[min(len(BLOCKS) - 1, int(share * len(BLOCKS)))]


def _summary(result: Json) -> list[str]:
    span, felt, spent = result["span"], result["sentiment"], result["timings_s"]
    scored = felt["scored"]
    shares = "   ".join(
        f"{name} {felt[name] / scored:.0%}" if scored else name for name in ("positive", "neutral", "negative")
    )
    rows = _taken(result["input"]) if result["input"] else []
    rows.append(f"DATA SET   {result['dataset']}: {felt['tweets']:,} tweets from {span['since']} to {span['until']}")
    rows.append(f"SENTIMENT  {scored:,} scored by {felt['model']}:   {shares}")
    return [*rows, _time(result["input"], spent)]


def _taken(taken: Json) -> list[str]:
    rows = [
        f"TWEETS     {taken['rows']:,} rows: {taken['accepted']:,} accepted, {taken['duplicates']:,} duplicates, "
        f"{taken['rejected']:,} rejected",
    ]
    rows += [f"           line {each['line']}: {as_options(each['reason'])}" for each in taken["rejections"][:3]]
    if taken["rejected"] > 3:
        rows.append("           ... the others are in the report")
    return rows


def _time(taken: Json | None, spent: dict[str, float]) -> str:
    if taken is None:
        return f"TIME       {spent['total']:.1f} s in all"
    seconds = spent["import_to_last_score"]
    speed = f", {taken['accepted'] / seconds:,.0f} tweets/s" if taken["accepted"] and seconds else ""
    return f"TIME       {spent['total']:.1f} s in all; import to last score {seconds:.1f} s{speed}"


def _candidates(result: Json) -> list[str]:
    weeks = {one["entity"]: one for one in result["weeks"]["items"]}
    since, until = result["weeks"]["since"], result["weeks"]["until"]
    series = {one["entity"]: thinned([day["icce"] for day in one["series"]]) for one in result["forecast"]}
    low, high = scale = scale_of(list(series.values()))
    shown = result["forecast"][:SHOWN_CANDIDATES]
    rows = [
        f"CANDIDATES in the week from {since} to {until}, with intervals of 95 %; the week before in parentheses",
        f"{'':17}{f'ICCE by day ({low:.0f} to {high:.0f})':26}{'this week':20}{'change':15}{'tweets':15}"
        f"{'voice':7}in 14 days (80 %)",
    ]
    for one in shown:
        bars = sparkline(series[one["entity"]], scale)
        rows.append(f"{one['name'][:16]:17}{bars:26}{_week(weeks.get(one['entity']))}{_ahead(one['points'])}")
    if len(result["forecast"]) > len(shown):
        rows.append(f"... {len(result['forecast']) - len(shown)} others are in the report")
    return rows if shown else [rows[0], "no entity is tracked in this data set"]


def _week(weeks: Json | None) -> str:
    if weeks is None:
        return " " * 57
    now, before = weeks["now"], weeks["before"]
    tweets = f"{now['tweets']:,} ({before['tweets']:,})"
    voice = "-" if now["share_of_voice"] is None else f"{now['share_of_voice']:.0%}"
    index = "silent" if now["icce"] is None else f"{now['icce']:.1f} [{now['low']:.0f}, {now['high']:.0f}]"
    few = " few" if now["note"] == "few_tweets" else ""
    change = "-"
    if weeks["change"] is not None:
        change = f"{weeks['change']:+.1f} {'' if weeks['certain'] else '(unsure)'}"
    return f"{index + few:20}{change:15}{tweets:15}{voice:7}"


def _ahead(points: list[Json]) -> str:
    if not points:
        return "too few days"
    last = points[-1]
    return f"{last['value']:.1f} [{last['low']:.0f}, {last['high']:.0f}]"


def _topics(trending: Json) -> list[str]:
    rows = [f"TRENDING in the 24 h before {trending['as_of']}"]
    if trending["topics"] and "baseline" in trending["degraded"]:
        rows.append("  What is usual is not known: too few tweets are stored of the days before.")
    for topic in trending["topics"][:6]:
        why = textwrap.wrap(topic["why"], WIDTH - 29, max_lines=2, placeholder="…")
        rows += [f"  {label:27}{line}" for label, line in zip([topic["topic"][:26], ""], why, strict=False)]
    return rows if trending["topics"] else [*rows, "  no topic was mentioned more than before"]


def _answer(rag: Json, dataset: str) -> list[str]:
    note = "  (made without a language model: quotes only)" if "llm" in rag["degraded"] else ""
    rows = [f"ANSWER from the tweets of {dataset}{note}", f"  {rag['question']}"]
    if not rag["citations"]:
        rows += textwrap.wrap(rag["answer"], WIDTH, initial_indent="  ", subsequent_indent="  ")
    for cited in rag["citations"][:4]:
        quote = " ".join(cited["quote"].split())
        rows.append(f"  “{_cut(quote, WIDTH - 40)}” @{cited['author']}, {bogota_date(cited['published_at'])}")
    return rows


def _next(context: Context) -> list[str]:
    rows = [
        f"CONSOLE    {context.ingress}   as admin@castor.example, password: `castor password`",
        "",
        "NEXT       `castor token` for the API, /docs for its reference; `castor status`; `castor logs twitter`",
    ]
    rows.append(f"           this run in the logs: trace {context.trace}")
    return rows + [f"           the whole report: {path}" for path in context.written]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
