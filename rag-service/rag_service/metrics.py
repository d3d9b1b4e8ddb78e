"""Metrics of rag-service; the chassis measures the lag of the feed, peers and requests."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

DOCUMENTS = Gauge("castor_rag_documents", "Documents stored")
PENDING = Gauge("castor_rag_pending_embeddings", "Documents that wait for an embedding")
REFUSED = Gauge("castor_rag_refused_embeddings", "Documents whose text the embedding model refused")
EMBEDDED = Counter("castor_rag_embedded_total", "Embeddings stored")
RETRIEVAL = Histogram(
    "castor_rag_retrieval_seconds",
    "Seconds to find documents: the whole search, and of it the embedding of the query",
    ["part"],
    buckets=_LATENCY,
)
CITATIONS = Counter(
    "castor_rag_citations_total",
    "Quotes that were verified verbatim and answered (kept), or not verified (removed)",
    ["outcome"],
)
ABSTENTIONS = Counter("castor_rag_abstentions_total", "Questions that the documents do not answer", ["reason"])
QUARANTINED = Counter(
    "castor_rag_quarantined_total", "Documents found that read like instructions to a model, and were set aside"
)
DEGRADED = Counter(
    "castor_rag_degraded_total", "Searches and answers made without embeddings or without a language model", ["part"]
)
VECTOR_INDEXES = Gauge("castor_rag_vector_indexes", "Partitions that have an approximate vector index")
