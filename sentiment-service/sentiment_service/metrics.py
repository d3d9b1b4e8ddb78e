"""What the owner of sentiment-service watches. No label is user input."""

from prometheus_client import Counter, Gauge, Histogram, Info

_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_PROBABILITIES = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)

MODEL = Info("castor_sentiment_model", "The model in use")
TEXTS = Counter("castor_sentiment_texts_total", "Texts answered", ["outcome"])
LABELS = Counter("castor_sentiment_labels_total", "Scored texts by label", ["label"])
CONFIDENCE = Histogram(
    "castor_sentiment_confidence", "Probability of the label of scored texts", buckets=_PROBABILITIES
)
QUEUED = Gauge("castor_sentiment_queue_texts", "Texts waiting for inference")
WAIT = Gauge("castor_sentiment_wait_seconds", "Predicted wait of a small request that arrives now")
SHED = Counter(
    "castor_sentiment_shed_texts_total",
    "Texts refused because they would have waited too long; a request whose body was not read counts as one",
)
SHARED = Counter("castor_sentiment_shared_texts_total", "Texts that shared the inference of an equal text")
BATCH = Histogram("castor_sentiment_batch_texts", "Texts per inference", buckets=_TEXTS)
TOKENS = Counter("castor_sentiment_tokens_total", "Tokens computed; no text is padded", ["kind"])
INFERENCE = Histogram("castor_sentiment_inference_seconds", "Duration of one inference", buckets=_SECONDS)
CACHE = Counter("castor_sentiment_cache_texts_total", "Texts looked up in the score cache", ["outcome"])
TARGETS = Counter("castor_sentiment_targets_total", "Targets answered, by basis of the answer", ["basis"])
DRIFT = Gauge(
    "castor_sentiment_drift_psi",
    "Population stability index of the last 2,000 scored texts against the reference of the model's card",
    ["of"],
)
