"""What `castor demo` prints: its progress, then a summary of one screen."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 100
SPARK_POINTS = 42
Json = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """What the summary shows besides the result."""

    series: dict[str, list[float | None]]
    """ICCE by day of each entity, None where nothing was observed."""
    names: dict[str, str]
    degraded: list[str]
    ingress: str
    trace: str
    report: Path | None


class Progress:
    """In a terminal one progress bar that is redrawn; elsewhere one line per finished step."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()

    def show(self, step: str, done: int, total: int, unit: str) -> None:
        """Show how far a step is."""
        if self._live:
            share = done / total if total else 1.0
            bar = ("█" * round(share * 24)).ljust(24, "░")
            sys.stdout.write(f"\r\x1b[K  {step:9} {bar} {share:4.0%}  {done:,} of {total:,} {unit}")
            sys.stdout.flush()

    def done(self, line: str) -> None:
        """Report a finished step."""
        sys.stdout.write(f"\r\x1b[K  ✓ {line}\n" if self._live else f"  {line}\n")
        sys.stdout.flush()


def show(result: Json, context: Context) -> None:
    """Print the summary."""
    print("\n".join(lines(result, context)))


def lines(result: Json, context: Context) -> list[str]:
    """Return the lines of the summary."""
    return [
        "",
        *_summary(result),
        "",
        *_candidates(result["forecast"], context),
        "",
        *_topics(result["trending"]),
        "",
        *_answer(result["rag"], context),
        "",
        *_next(context),
    ]


def sparkline(values: Sequence[float | None], points: int = SPARK_POINTS) -> str:
    """Return ``values`` averaged into ``points`` bars, scaled from their minimum to their maximum; gaps are dots."""
    known = [value for value in values if value is not None]
    if not known:
        return "·" * min(points, len(values))
    low, high = min(known), max(known)
    width = max(1, -(-len(values) // points))
    groups = [values[start : start + width] for start in range(0, len(values), width)]
    return "".join(_bar([value for value in group if value is not None], low, high) for group in groups)


def _bar(group: list[float], low: float, high: float) -> str:
    if not group:
        return "·"
    share = (sum(group) / len(group) - low) / (high - low) if high > low else 0.5
    return BLOCKS[min(len(BLOCKS) - 1, int(share * len(BLOCKS)))]


def _summary(result: Json) -> list[str]:
    taken, felt, spent = result["input"], result["sentiment"], result["timings_s"]
    scored = felt["scored"]
    shares = "   ".join(
        f"{name} {felt[name] / scored:.0%}" if scored else name for name in ("positive", "neutral", "negative")
    )
    lines = [
        f"TWEETS     {taken['rows']:,} rows: {taken['accepted']:,} accepted, {taken['duplicates']:,} duplicates, "
        f"{taken['rejected']:,} rejected",
    ]
    lines += [f"           line {each['line']}: {each['reason']}" for each in taken["rejections"][:3]]
    if taken["rejected"] > 3:
        lines.append("           ... the others are in the report")
    lines.append(f"SENTIMENT  {scored:,} scored by {felt['model']}:   {shares}")
    seconds = spent["import_to_last_score"]
    speed = f", {taken['accepted'] / seconds:,.0f} tweets/s" if taken["accepted"] and seconds else ""
    lines.append(f"TIME       {spent['total']:.1f} s in all; import to last score {seconds:.1f} s{speed}")
    return lines


def _candidates(forecasts: list[Json], context: Context) -> list[str]:
    heading = f"{'CANDIDATE':22}{'ICCE, last 90 days':{SPARK_POINTS + 2}}{'now':>5}  in 14 days (80 %)"
    rows = [heading]
    for forecast in forecasts:
        entity = str(forecast["entity"])
        name = context.names.get(entity, entity)
        bars = sparkline(context.series.get(entity, []))
        now = "    -" if forecast["icce"] is None else f"{forecast['icce']:5.1f}"
        rows.append(f"{name[:21]:22}{bars:{SPARK_POINTS + 2}}{now}  {_ahead(forecast['points'])}")
    return rows if forecasts else [heading, "no entity has enough observed days"]


def _ahead(points: list[Json]) -> str:
    if not points:
        return "not enough days observed"
    last = points[-1]
    return f"{last['value']:.1f}  [{last['low']:.1f}, {last['high']:.1f}]"


def _topics(trending: Json) -> list[str]:
    rows = [f"TRENDING in the 24 h before {trending['as_of']}"]
    for topic in trending["topics"][:6]:
        why = textwrap.wrap(topic["why"], WIDTH - 29, max_lines=2, placeholder="…")
        rows += [f"  {label:27}{line}" for label, line in zip([topic["topic"][:26], ""], why, strict=False)]
    return rows if trending["topics"] else [*rows, "  no topic was mentioned more than before"]


def _answer(rag: Json, context: Context) -> list[str]:
    note = "  (made without a language model: quotes only)" if "llm" in context.degraded else ""
    rows = [f"ANSWER from {rag['documents']:,} documents{note}", f"  {rag['question']}"]
    if not rag["citations"]:
        rows += textwrap.wrap(rag["answer"], WIDTH, initial_indent="  ", subsequent_indent="  ")
    for cited in rag["citations"][:4]:
        quote = " ".join(cited["quote"].split())
        rows.append(f"  “{_cut(quote, WIDTH - 32)}” [{cited['id']}]")
    return rows


def _next(context: Context) -> list[str]:
    rows = [
        f"CONSOLE    {context.ingress}   as admin@castor.example, password: `castor password`",
        "",
        "NEXT       `castor token` for the API, /docs for its reference; `castor status`; `castor logs twitter`",
    ]
    rows.append(f"           this run in the logs: trace {context.trace}")
    if context.report is not None:
        rows.append(f"           everything above as JSON: {context.report}")
    return rows


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
