"""What the owner of this service watches; feed lag and peers are measured by the chassis."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

DOCUMENTS = Gauge("castor_rag_documents", "Documents stored")
PENDING = Gauge("castor_rag_pending_embeddings", "Documents that wait for an embedding")
REFUSED = Gauge("castor_rag_refused_embeddings", "Documents whose text the encoder refused")
EMBEDDED = Counter("castor_rag_embedded_total", "Embeddings stored")
RETRIEVAL = Histogram("castor_rag_retrieval_seconds", "Time to find documents", ["part"], buckets=_LATENCY)
CITATIONS = Counter("castor_rag_citations_total", "Quotes that passed or failed the verbatim gate", ["outcome"])
ABSTENTIONS = Counter("castor_rag_abstentions_total", "Questions answered with 'not in the documents'", ["reason"])
DEGRADED = Counter("castor_rag_degraded_total", "Answers made without a part", ["part"])
VECTOR_INDEXES = Gauge("castor_rag_vector_indexes", "Partitions that have an approximate vector index")
