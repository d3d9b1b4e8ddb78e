"""The composition of rag-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import resources

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service, follow
from rag_service import __version__
from rag_service.answers.service import Answerer
from rag_service.api.documents import Resources, router
from rag_service.clients.openai import OpenAIClient
from rag_service.clients.twitter import FEED_PATH, FeedTweet, TwitterFeed
from rag_service.documents.repository import DocumentStore
from rag_service.embeddings import worker as indexing
from rag_service.retrieval.repository import SearchStore
from rag_service.retrieval.service import Retriever
from rag_service.settings import RagSettings

PROMPT = "prompts/answer.v1.es.txt"


def create_app(
    settings: RagSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app; nothing is contacted before it starts."""
    return create_service(
        settings,
        package="rag_service",
        version=__version__,
        summary="Documents, hybrid retrieval and answers in which every quote is checked.",
        routers=[router],
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )


@asynccontextmanager
async def start(chassis: Chassis[RagSettings]) -> AsyncIterator[Resources]:
    """Wire the parts and start the background work."""
    settings = chassis.settings
    openai = OpenAIClient(chassis.peer("openai-service", settings.openai_url), settings)
    store = DocumentStore(chassis.postgres)
    search = SearchStore(
        chassis.postgres, dimensions=settings.embedding_dimensions, exact_rows=settings.exact_scan_rows
    )
    retriever = Retriever(search, openai)
    instructions = (resources.files("rag_service") / PROMPT).read_text(encoding="utf-8")
    _start_work(chassis, settings, store, search, openai)
    yield Resources(store, retriever, Answerer(retriever, openai, instructions))


def _start_work(
    chassis: Chassis[RagSettings],
    settings: RagSettings,
    store: DocumentStore,
    search: SearchStore,
    openai: OpenAIClient,
) -> None:
    twitter = TwitterFeed(chassis.peer("twitter-service", settings.twitter_url), FEED_PATH, FeedTweet, settings)
    embedder = indexing.Embedder(
        store, openai, batch=settings.embedding_batch, concurrency=settings.embedding_concurrency
    )

    async def follow_tweets() -> None:
        await follow(
            "follow_tweets", load_cursor=store.cursor, fetch=twitter.page, apply=partial(indexing.store_page, store)
        )

    async def keep_indexes() -> None:
        await indexing.keep_indexes(search, settings.index_check_seconds)

    chassis.spawn_under_lease("follow_tweets", follow_tweets)
    chassis.spawn_under_lease("embed_documents", embedder.run)
    chassis.spawn_under_lease("keep_indexes", keep_indexes)
    chassis.spawn("measure", lambda: indexing.measure(store, settings.index_check_seconds))
