"""``python -m bench [NAME ...] [OPTION ...]`` runs the named measurements, or all."""

from __future__ import annotations

import importlib
import sys

MEASUREMENTS = {
    "auth": "bench.auth.validation",
    "chassis": "bench.chassis.cpu",
    "console": "bench.console.speed",
    "encoder": "bench.openai.encoder",
    "forecast": "bench.forecast.against_prophet",
    "forecast_latency": "bench.forecast.latency",
    "main_job": "bench.job.scores",
    "openai": "bench.openai.against_litellm",
    "rag_answers": "bench.rag.answers",
    "rag_ingest": "bench.rag.ingest",
    "rag_positions": "bench.rag.positions",
    "rag_recall": "bench.rag.recall",
    "rag_relevance": "bench.rag.relevance",
    "rag_retrieval": "bench.rag.retrieval",
    "rag_size": "bench.rag.size",
    "sentiment": "bench.sentiment.throughput",
    "sentiment_accuracy": "bench.sentiment.accuracy",
    "sentiment_equality": "bench.sentiment.equality",
    "sentiment_kinds": "bench.sentiment.kinds",
    "sentiment_overload": "bench.sentiment.overload",
    "sentiment_targets": "bench.sentiment.targets",
    "trending": "bench.trending.detection",
    "trending_speed": "bench.trending.speed",
    "trending_storm": "bench.trending.storm",
    "twitter": "bench.twitter.imports",
    "x_storm": "bench.twitter.x_storm",
}
"""The module of each measurement; its ``main`` runs it."""


def main(arguments: list[str]) -> None:
    """Run measurements by name; what follows the names is theirs."""
    first_option = next((at for at, one in enumerate(arguments) if one.startswith("-")), len(arguments))
    names, sys.argv[1:] = arguments[:first_option], arguments[first_option:]
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"no measurement is called {', '.join(sorted(unknown))}; there are: {', '.join(MEASUREMENTS)}")
    for name in names or MEASUREMENTS:
        print(f"\n== {name}")
        importlib.import_module(MEASUREMENTS[name]).main()


if __name__ == "__main__":
    main(sys.argv[1:])
