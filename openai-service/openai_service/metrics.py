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
FAILOVERS = Counter("castor_openai_failovers_total", "Calls handed on to the next provider", ["provider", "reason"])
HEDGES = Counter("castor_openai_hedges_total", "Calls that a second provider was asked for because the first was slow")
REUSED = Counter("castor_openai_reused_answers_total", "Answers that no model was asked for", ["how"])
ANSWER_CACHE_ERRORS = Counter("castor_openai_answer_cache_errors_total", "Look-ups of answers that Redis failed")
LEDGER_DROPPED = Counter("castor_openai_ledger_dropped_total", "Ledger rows lost", ["reason"])
LEDGER_QUEUED = Gauge("castor_openai_ledger_queued", "Ledger rows not yet written")
TASKS = Counter("castor_openai_tasks_total", "Tasks by prompt and outcome", ["task", "outcome"])
WITHHELD = Counter("castor_openai_withheld_documents_total", "Documents kept out of prompts because they give orders")
BUDGET_REFUSED = Counter("castor_openai_budget_refused_total", "Calls that no budget had room for", ["account", "why"])
BUDGET_EXPIRED = Counter("castor_openai_budget_expired_holds_total", "Holds whose replica never ended them")
ABOVE_HOLD = Counter(
    "castor_openai_settled_above_hold_total", "Calls that cost more than was held for them", ["provider"]
)
ABOVE_HOLD_USD = Counter(
    "castor_openai_above_hold_usd_total",
    "What calls cost beyond what was held: budgets may be passed by it",
    ["provider"],
)
REDACTED = Counter("castor_openai_redacted_total", "Values that were not sent to an upstream", ["kind"])
ENCODER_QUEUED = Gauge("castor_openai_encoder_queued", "Texts that wait for the bundled encoder or are in it")
SEMANTIC = Counter("castor_openai_semantic_lookups_total", "Questions looked up by their meaning", ["outcome"])
