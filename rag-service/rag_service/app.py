"""The composition of rag-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import resources
from typing import cast

from fastapi import FastAPI

from castor_chassis import Chassis, KeySource, create_service, follow, run_under_lease
from castor_chassis.background.supervisor import Work
from rag_service import __version__
from rag_service.answers.service import Answerer
from rag_service.api.documents import Resources, router
from rag_service.clients.openai import OpenAIClient
from rag_service.clients.twitter import TwitterClient
from rag_service.documents.repository import DocumentStore
from rag_service.embeddings import worker as indexing
from rag_service.retrieval.repository import SearchStore
from rag_service.retrieval.service import Retriever
from rag_service.settings import RagSettings

PROMPT = "prompts/answer.v1.es.txt"


def create_app(settings: RagSettings, *, keys: KeySource | None = None) -> FastAPI:
    """Return the app; nothing is contacted before it starts."""
    return create_service(
        settings,
        package="rag_service",
        version=__version__,
        summary="Documents, hybrid retrieval and answers in which every quote is checked.",
        routers=[router],
        start=start,
        keys=keys,
    )


@asynccontextmanager
async def start(chassis: Chassis) -> AsyncIterator[Resources]:
    """Wire the parts and start the background work."""
    settings = cast(RagSettings, chassis.settings)
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
    chassis: Chassis, settings: RagSettings, store: DocumentStore, search: SearchStore, openai: OpenAIClient
) -> None:
    twitter = TwitterClient(
        chassis.peer("twitter-service", settings.twitter_url),
        page_size=settings.feed_page_size,
        wait_seconds=settings.feed_wait_seconds,
    )
    embedder = indexing.Embedder(
        store, openai, batch=settings.embedding_batch, concurrency=settings.embedding_concurrency
    )

    def under_lease(name: str, work: Work) -> None:
        chassis.spawn(name, lambda: run_under_lease(chassis.postgres, f"rag:{name}", work))

    async def follow_tweets() -> None:
        await follow(
            "follow_tweets", load_cursor=store.cursor, fetch=twitter.page, apply=partial(indexing.store_page, store)
        )

    async def keep_indexes() -> None:
        await indexing.keep_indexes(search, settings.index_check_seconds)

    under_lease("follow_tweets", follow_tweets)
    under_lease("embed_documents", embedder.run)
    under_lease("keep_indexes", keep_indexes)
    chassis.spawn("measure", lambda: indexing.measure(store, settings.index_check_seconds))
