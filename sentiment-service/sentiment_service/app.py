"""Composition root of sentiment-service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service
from sentiment_service import __version__
from sentiment_service.api import TAGS, model, targets, texts
from sentiment_service.api.resources import Resources
from sentiment_service.classifiers.base import Classifier, Scores
from sentiment_service.classifiers.hub import ModelSource
from sentiment_service.classifiers.loader import LoadedModel, load_model
from sentiment_service.classifiers.onnx_runtime import cpu_limit
from sentiment_service.classifiers.pretrained import Defaults
from sentiment_service.inference.questions import classify
from sentiment_service.inference.scheduler import InferenceScheduler
from sentiment_service.inference.score_cache import ScoreCache
from sentiment_service.inference.service import SentimentService
from sentiment_service.settings import SentimentSettings
from sentiment_service.targets.service import TargetSentimentService


def create_app(
    settings: SentimentSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app; no model is loaded before it starts."""
    return create_service(
        settings,
        package="sentiment_service",
        version=__version__,
        summary="Text to positive, neutral or negative.",
        routers=[texts.router, model.router, targets.router],
        tags=TAGS,
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )


@asynccontextmanager
async def start(chassis: Chassis[SentimentSettings]) -> AsyncIterator[Resources]:
    """Begin to load the model, and make the services that the routes use."""
    settings = chassis.settings
    threads = settings.inference_threads or cpu_limit()
    loaded = LoadedModel(chassis.load("model", partial(_load, settings)))
    # Threads of their own: preprocessing of later batches must not delay an inference.
    with ThreadPoolExecutor(threads, thread_name_prefix="inference") as inference:
        scheduler: InferenceScheduler[Scores] = InferenceScheduler(
            lambda batch: classify(loaded.classifier, batch),
            partial(asyncio.get_running_loop().run_in_executor, inference),
            batch_max=settings.batch_max_tokens,
            queue_max=settings.queue_max_texts,
            wait_max_seconds=settings.queue_max_seconds,
            # One more than threads: the next batch is ready when a thread becomes free.
            workers=threads + 1,
        )
        chassis.spawn("batches", scheduler.run)
        seconds = settings.cache_ttl_seconds if settings.redis_url else 0
        cache = ScoreCache(chassis.cache, seconds) if seconds else None
        sentiment = SentimentService(loaded, scheduler, chassis.in_thread, cache)
        chassis.admissions.update(dict.fromkeys(texts.ADMITTED, sentiment.admit))
        yield Resources(sentiment, TargetSentimentService(sentiment, chassis.in_thread))


def _load(settings: SentimentSettings) -> Classifier:
    source = ModelSource(settings.model_store, settings.model_hub_url)
    defaults = Defaults(settings.labels, settings.languages)
    # Several inferences on one processor each compute more than one on several, and never wait for each other.
    return load_model(settings.sentiment_model, source=source, threads=1, defaults=defaults)
