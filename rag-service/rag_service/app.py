"""Composition root of rag-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service, every
from rag_service import __version__
from rag_service.analyses.service import AnswersWithAnalyses
from rag_service.answers.prompt import system_message
from rag_service.answers.service import AnswerService
from rag_service.api import TAGS, answers, conversations, documents, files, search, status
from rag_service.api.resources import Resources
from rag_service.clients.openai import OpenAIClient
from rag_service.clients.twitter import FEED_PATH, TweetChange, TwitterFeed
from rag_service.conversations.repository import ConversationRepository
from rag_service.conversations.service import ConversationService
from rag_service.documents.access_repository import check_isolated
from rag_service.documents.missed_erasures_repository import forget_missed
from rag_service.documents.partition_repository import PartitionRepository
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.service import DocumentService
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.embeddings.encoder import Encoder
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.embeddings.worker import Embedder, measure
from rag_service.files.reading_process import ReadingProcess
from rag_service.files.repository import FileRepository
from rag_service.files.service import FileService
from rag_service.files.worker import FileReader
from rag_service.ingest.feed_consumer import FeedConsumer
from rag_service.ingest.feed_traffic import FeedTraffic
from rag_service.retrieval.conversation_index_repository import ConversationIndexRepository
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.service import RetrievalService
from rag_service.retrieval.vector_index_repository import VectorIndexRepository
from rag_service.retrieval.worker import keep_indexes
from rag_service.settings import RagSettings

_SWEEP_SECONDS = 600.0
"""Between two looks for erasures of a release that does not know of kept answers; it ends minutes after this begins."""


def create_app(
    settings: RagSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app; ``keys`` replaces auth-service's in tests."""
    return create_service(
        settings,
        package="rag_service",
        version=__version__,
        summary="Documents, hybrid retrieval and answers in which every quote is checked.",
        routers=[documents.router, search.router, answers.router, conversations.router, files.router, status.router],
        tags=TAGS,
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )


@asynccontextmanager
async def start(chassis: Chassis[RagSettings]) -> AsyncIterator[Resources]:
    """Build what the routes use and start the background work."""
    settings, postgres = chassis.settings, chassis.postgres
    chassis.health.check("row_level_security", partial(check_isolated, postgres))
    openai = OpenAIClient(chassis.peer("openai-service", settings.openai_url, on_behalf=True), settings)
    encoder = Encoder(openai, settings.embedding_dimensions)
    stored = DocumentRepository(postgres)
    _start_work(chassis, stored, encoder)
    searches = SearchRepository(postgres, dimensions=settings.embedding_dimensions, exact_rows=settings.exact_scan_rows)
    retrieval = RetrievalService(searches, encoder)
    voices = AnswerService(retrieval, openai, system_message(), chassis.in_thread)
    answer_service = AnswersWithAnalyses(voices, retrieval)
    yield Resources(
        documents=DocumentService(stored, TenantDocumentRepository(postgres)),
        retrieval=retrieval,
        answers=answer_service,
        conversations=ConversationService(ConversationRepository(postgres), answer_service),
        files=FileService(FileRepository(postgres)),
        embeddings=EmbeddingRepository(postgres),
    )


def _start_work(chassis: Chassis[RagSettings], stored: DocumentRepository, encoder: Encoder) -> None:
    settings, postgres = chassis.settings, chassis.postgres
    twitter = TwitterFeed(chassis.peer("twitter-service", settings.twitter_url), FEED_PATH, TweetChange, settings)
    embeddings = EmbeddingRepository(postgres)
    traffic = FeedTraffic(settings.embedding_yield_seconds)
    embedder = Embedder(
        embeddings,
        encoder,
        batch=settings.embedding_batch,
        concurrency=settings.embedding_concurrency,
        yields=traffic.is_busy,
    )
    indexes = VectorIndexRepository(
        postgres, dimensions=settings.embedding_dimensions, exact_rows=settings.exact_scan_rows
    )
    chassis.spawn_under_lease("follow_tweets", FeedConsumer(twitter, stored, traffic).run)
    process = ReadingProcess(settings.file_reading_seconds, settings.file_reading_memory_mb)
    reader = FileReader(FileRepository(postgres), process)
    chassis.spawn_under_lease("read_files", reader.run)
    chassis.spawn_under_lease("embed_documents", embedder.run)
    keeping = partial(keep_indexes, PartitionRepository(postgres), ConversationIndexRepository(postgres), indexes)
    chassis.spawn_under_lease("keep_indexes", every(settings.index_check_seconds, keeping))
    chassis.spawn_under_lease("forget_missed_erasures", every(_SWEEP_SECONDS, partial(forget_missed, postgres)))
    chassis.spawn("measure", every(settings.index_check_seconds, partial(measure, embeddings)))
