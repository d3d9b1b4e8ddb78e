"""What the owner of openai-service watches. No label is user input."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 120)

CALLS = Histogram(
    "castor_openai_call_duration_seconds",
    "Calls by outcome",
    ["operation", "provider", "outcome"],
    buckets=_SECONDS,
)
TOKENS = Counter("castor_openai_tokens_total", "Tokens used", ["operation", "provider", "kind"])
COST = Counter("castor_openai_cost_usd_total", "Cost of upstream calls with a known price", ["operation"])
UNPRICED = Counter("castor_openai_unpriced_calls_total", "Upstream calls whose model has no price")
FALLBACKS = Counter("castor_openai_fallbacks_total", "Answers made without the upstream because it failed", ["reason"])
RETRIES = Counter("castor_openai_retries_total", "Attempts at the upstream after the first")
LEDGER_DROPPED = Counter("castor_openai_ledger_dropped_total", "Ledger rows lost", ["reason"])
LEDGER_QUEUED = Gauge("castor_openai_ledger_queued", "Ledger rows not yet written")
TASKS = Counter("castor_openai_tasks_total", "Tasks by prompt and outcome", ["task", "outcome"])
WITHHELD = Counter("castor_openai_withheld_documents_total", "Documents kept out of prompts because they give orders")
