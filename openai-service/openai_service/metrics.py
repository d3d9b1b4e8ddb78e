"""Metrics of openai-service. No label value comes from users' input."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 120)

CALLS = Histogram(
    "castor_openai_call_duration_seconds",
    "Duration of calls by outcome",
    ["operation", "provider", "outcome"],
    buckets=_SECONDS,
)
TOKENS = Counter("castor_openai_tokens_total", "Tokens that calls used", ["operation", "provider", "kind"])
COST = Counter("castor_openai_cost_usd_total", "Cost of upstream calls with a known price", ["operation"])
UNPRICED = Counter("castor_openai_unpriced_calls_total", "Upstream calls of models without a price")
FALLBACKS = Counter("castor_openai_fallbacks_total", "Chat answers by quotes because the upstream failed", ["reason"])
RETRIES = Counter("castor_openai_retries_total", "Attempts at an upstream after the first")
FAILOVERS = Counter("castor_openai_failovers_total", "Calls passed to the next provider", ["provider", "reason"])
HEDGES = Counter("castor_openai_hedges_total", "Calls sent to a second provider because the first was slow")
REUSED = Counter("castor_openai_reused_answers_total", "Answers from the cache or an equal request in flight", ["how"])
ANSWER_CACHE_ERRORS = Counter("castor_openai_answer_cache_errors_total", "Response cache commands that Redis failed")
LEDGER_DROPPED = Counter("castor_openai_ledger_dropped_total", "Ledger rows that were dropped", ["reason"])
LEDGER_QUEUED = Gauge("castor_openai_ledger_queued", "Ledger rows not yet written")
TASKS = Counter("castor_openai_tasks_total", "Tasks by prompt and outcome", ["task", "outcome"])
WITHHELD = Counter("castor_openai_withheld_documents_total", "Documents withheld because of a prompt injection")
BUDGET_REFUSED = Counter("castor_openai_budget_refused_total", "Calls refused by a full budget", ["account", "why"])
BUDGET_EXPIRED = Counter("castor_openai_budget_expired_holds_total", "Holds that expired before any replica ended them")
ABOVE_HOLD = Counter(
    "castor_openai_settled_above_hold_total", "Calls that cost more than was held for them", ["provider"]
)
ABOVE_HOLD_USD = Counter(
    "castor_openai_above_hold_usd_total",
    "Cost of calls beyond what was held for them, by which budgets may be exceeded",
    ["provider"],
)
REDACTED = Counter("castor_openai_redacted_total", "Values redacted before sending to an upstream", ["kind"])
ENCODER_QUEUED = Gauge("castor_openai_encoder_queued", "Texts queued for the bundled encoder or in it")
SEMANTIC = Counter("castor_openai_semantic_lookups_total", "Look-ups of the semantic cache", ["outcome"])
