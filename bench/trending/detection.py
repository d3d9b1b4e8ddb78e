"""Topics of trending-service against Gnip's Poisson model, Kleinberg's bursts and a z-score, in one run.

``uv pip install --target DIR --no-deps gnip-trend-detection burst-detection mpmath``, then
``PYTHONPATH=DIR python -m bench trending [--world N] [--seed N] [--days N]``; a peer that is
not installed is left out.
Thresholds of the peers are those with the best F1 on the development stream; all figures are of the held-out streams,
which differ in seed, size, vocabulary and the shapes of what is injected. Printed for each: F1, precision, recall,
median minutes from the first tweet of a burst to the first topic that names it, false topics a day, floods among the
first five topics; and of suspected coordination: groups found, groups that are none, and groups in a stream of the same
size without any.
All methods are asked every ten minutes for a window of three hours, and share the terms and the clusters.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping
from dataclasses import replace

from bench.trending import peers
from bench.trending.coordinated import judge, suspects
from bench.trending.generator import DEVELOPMENT, HELD_OUT, World, make
from bench.trending.memory import Detector, MemoryStream, Question
from bench.trending.scoring import Outcome, run
from trending_service.detection.scan import detect
from trending_service.settings import TrendingSettings

RATE = TrendingSettings.model_fields["false_discovery_rate"].default
THRESHOLDS = {
    "gnip": (0.5, 1, 1.5, 2, 3, 4, 6),
    "kleinberg": (0, 2, 5, 10, 15, 25),
    "z-score": (3, 5, 8, 12, 16, 24),
}


def ours(question: Question) -> dict[str, float]:
    """Return what the service finds."""
    found = detect(
        question.window, question.terms, question.counts, min_tweets=5, distinct=question.distinct, rate=RATE
    )
    return {term: burst.score for term, burst in found.bursts.items()}


def competitors() -> dict[str, peers.Score]:
    """Return the peers that are installed, and the z-score."""
    found: dict[str, peers.Score] = {"z-score": peers.z_score}
    try:
        found["gnip"] = peers.gnip_poisson(importlib.import_module("gnip_trend_detection.models"))
    except ImportError as error:
        print(f"gnip-trend-detection is left out: {error}", file=sys.stderr)
    try:
        found["kleinberg"] = peers.kleinberg(importlib.import_module("burst_detection"))
    except ImportError as error:
        print(f"burst-detection is left out: {error}", file=sys.stderr)
    return found


def with_threshold(score: peers.Score, threshold: float) -> Detector:
    """Return the detector of a peer."""
    return lambda question: peers.above(peers.scores(question, score), threshold)


def tune(scores: Mapping[str, peers.Score]) -> dict[str, float]:
    """Return the threshold of each peer with the best F1 on the development stream."""
    made = make(DEVELOPMENT[0])
    stream = MemoryStream(made.tweets)
    best: dict[str, float] = {}
    for name, score in scores.items():
        cache: dict[tuple[int, int], dict[str, float]] = {}

        def at(
            threshold: float, score: peers.Score = score, cache: dict[tuple[int, int], dict[str, float]] = cache
        ) -> Outcome:
            def detector(question: Question) -> dict[str, float]:
                key = (len(question.ids), int(question.window.ages.sum()))
                if key not in cache:
                    cache[key] = peers.scores(question, score)
                return peers.above(cache[key], threshold)

            return run(made, stream, detector, step_seconds=3600)

        best[name] = max(THRESHOLDS[name], key=lambda threshold: at(threshold).f1)
    return best


def measure(world: World, scores: Mapping[str, peers.Score], thresholds: Mapping[str, float]) -> dict[str, Outcome]:
    """Return what each method found of one held-out stream, and print what was suspected in it."""
    made = make(world)
    stream = MemoryStream(made.tweets)
    found = {"castor": run(made, stream, ours, lambda at: suspects(stream, at))}
    for name, score in scores.items():
        found[name] = run(made, stream, with_threshold(score, thresholds[name]))
    print(f"seed {world.seed}: coordination {judge(made, stream)}")
    honest = make(replace(world, seed=world.seed + 50, floods_of_few=0, floods_of_groups=0))
    print(f"seed {world.seed + 50} without floods: coordination {judge(honest, MemoryStream(honest.tweets))}")
    return found


def shortened(world: World, days: int) -> World:
    """Return a world with so many days of bursts, and so many fewer of them."""
    part = days / (world.days - world.quiet_days)
    fewer = {
        name: round(part * getattr(world, name)) for name in ("bursts", "floods_of_few", "floods_of_groups", "spikes")
    }
    return replace(world, days=world.quiet_days + days, **fewer)


def show(seed: int, found: Mapping[str, Outcome]) -> None:
    """Print one line per method."""
    print(f"seed {seed}   {'F1':>6} {'prec.':>6} {'recall':>6} {'delay':>7} {'false/day':>9} {'floods':>8}")
    for name, one in found.items():
        print(
            f"  {name:9} {one.f1:6.3f} {one.precision:6.3f} {one.recall:6.3f} {one.median_delay_minutes:6.1f}m "
            f"{one.false_alarms_a_day:9.2f} {len(one.promoted):4}/{one.floods}"
        )


def main() -> None:
    """Tune the peers, measure all, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", type=int, choices=range(len(HELD_OUT)), help="the only held-out stream to measure")
    parser.add_argument("--seed", type=int, help="seed of the first held-out stream, instead of its own; others follow")
    parser.add_argument("--days", type=int, default=14, help="days with bursts, 14 to 15 a day")
    wanted = parser.parse_args()
    scores = competitors()
    thresholds = tune(scores)
    print("thresholds from the development stream:", thresholds)
    for number, world in enumerate(HELD_OUT):
        if wanted.world in (None, number):
            seed = world.seed if wanted.seed is None else wanted.seed + number
            show(seed, measure(shortened(replace(world, seed=seed), wanted.days), scores, thresholds))


if __name__ == "__main__":
    main()
