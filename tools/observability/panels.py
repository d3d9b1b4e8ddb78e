"""What the dashboards show: one line per panel."""

from __future__ import annotations

from dataclasses import dataclass

RATE = "$__rate_interval"
N = 'namespace=~"$namespace"'
J = f'{N}, job="$job"'


@dataclass(frozen=True)
class Panel:
    """A graph: its title, Grafana's unit, and (query, legend) pairs. ``threshold`` draws a line."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    threshold: float | None = None


def one(title: str, unit: str, query: str, legend: str = "", threshold: float | None = None) -> Panel:
    """Return a panel with one query."""
    return Panel(title, unit, ((query, legend),), threshold)


def rate(metric: str, by: str = "", where: str = J) -> str:
    """Return the summed rate of a counter."""
    group = f" by ({by})" if by else ""
    return f"sum{group} (rate({metric}{{{where}}}[{RATE}]))"


def quantile(q: float, metric: str, by: str = "", where: str = J) -> str:
    """Return a quantile of a histogram."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{{where}}}[{RATE}])))"


def mean(metric: str, where: str = J) -> str:
    """Return the mean of a histogram's observations."""
    return f"sum (rate({metric}_sum{{{where}}}[{RATE}])) / sum (rate({metric}_count{{{where}}}[{RATE}]))"


_HTTP = "castor_http_request_duration_seconds"
_REFUSED = f'{J}, status="429"'
_ERRORS, _ASKED = "namespace_job_slo:castor_errors:ratio_rate", "namespace_job_slo:castor_requests:rate5m"
_BURN = _ERRORS + "{w}{{{where}}} / on (job, slo) group_left () job_slo:castor_error_budget:ratio"
_ALL = f'{N}, slo="availability"'

OVERVIEW = (
    one("Replicas up", "none", f'sum by (job) (up{{{N}, job=~".+-service"}})', "{{job}}"),
    one("Requests", "reqps", f"sum by (job) ({_ASKED}{{{_ALL}}})", "{{job}}"),
    one("Failed requests", "percentunit",
        f"max by (job) ({_ERRORS}5m{{{_ALL}}})", "{{job}}"),
    one("Burn rate, one hour", "none", _BURN.format(w="1h", where=N), "{{namespace}} {{job}} {{slo}}", 14.4),
    one("Burn rate, three days", "none", _BURN.format(w="3d", where=N), "{{namespace}} {{job}} {{slo}}", 1),
    one("p95", "s", quantile(0.95, _HTTP, "job", N), "{{job}}"),
    one("Open breakers", "none", f"max by (job, peer) (castor_breaker_state{{{N}}}) > 0", "{{job}} to {{peer}}"),
    one("Feed lag", "s", f"min by (job, feed) (castor_feed_lag_seconds{{{N}}})", "{{job}} {{feed}}", 600),
    one("Tweets without a score", "none", f"max (castor_twitter_scores_pending{{{N}}})", "pending"),
    one("Documents without a vector", "none", f"min (castor_rag_pending_embeddings{{{N}}})", "pending"),
    one("Database errors", "ops", rate("castor_database_errors_total", "job", N), "{{job}}"),
    one("Cost of language models", "currencyUSD",
        f"sum (increase(castor_openai_cost_usd_total{{{N}}}[1h]))", "per hour"),
    one("Certificates end in", "s",
        f"min by (job) (castor_tls_certificate_not_after_seconds{{{N}}} > 0) - time()", "{{job}}", 4 * 3600),
)  # fmt: skip

RED = (
    one("Requests by route", "reqps", rate(f"{_HTTP}_count", "method, route"), "{{method}} {{route}}"),
    one(
        "Failed requests by route", "reqps",
        rate(f"{_HTTP}_count", "route, status", J + ', status=~"5..|429"'), "{{status}} {{route}}",
    ),
    Panel("Duration", "s", tuple((quantile(q, _HTTP), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99))),
    one("p95 by route", "s", quantile(0.95, _HTTP, "route"), "{{route}}"),
    one("Error budget burn, one hour", "none", _BURN.format(w="1h", where=J), "{{slo}}", 14.4),
    one("In flight", "none", f"sum (castor_http_requests_in_flight{{{J}}})", "requests"),
)  # fmt: skip

PEERS = (
    one("Attempts at peers", "reqps", rate("castor_peer_request_duration_seconds_count", "peer, outcome"),
        "{{peer}} {{outcome}}"),
    one("p95 of peers", "s", quantile(0.95, "castor_peer_request_duration_seconds", "peer"), "{{peer}}"),
    Panel("Calls not made or made again", "ops", (
        (rate("castor_peer_rejected_total", "peer, reason"), "{{peer}} {{reason}}"),
        (rate("castor_peer_retries_total", "peer"), "{{peer}} retry"),
    )),
    Panel("Breakers: 0 closed, 1 half-open, 2 open", "none", (
        (f"max by (peer) (castor_breaker_state{{{J}}})", "{{peer}}"),
        (f"sum by (peer, state) (increase(castor_breaker_transitions_total{{{J}}}[{RATE}]))", "{{peer}} to {{state}}"),
    )),
)  # fmt: skip

LEASES = (one("Leases held", "none", f"sum by (lease) (castor_lease_held{{{J}}})", "{{lease}}"),)

_QUIET = (
    (rate("castor_rate_limit_errors_total"), "rate limits without Redis"),
    (rate("castor_tls_reloads_total", "", J + ', outcome="failed"'), "certificate"),
    (rate("castor_worker_restarts_total", "worker"), "worker {{worker}}"),
)
_QUIET_DATABASE = (rate("castor_database_errors_total"), "database")
_QUIET_AUTH = (
    (rate("castor_jwks_fetches_total", "", J + ', outcome="failed"'), "key set"),
    (f"sum by (source) (castor_revocation_source{{{J}}})", "revocations by {{source}}"),
)
_QUIET_CACHE = (rate("castor_cache_operations_total", "cache", J + ', outcome="error"'), "cache {{cache}}")

PROCESS = (
    Panel("Refused callers", "ops", (
        (rate("castor_auth_failures_total", "reason"), "{{reason}}"),
        (rate("castor_rate_limit_hits_total", "kind"), "rate limit, {{kind}}"),
        (rate("castor_http_requests_shed_total"), "shed"),
    )),
    Panel("Processes", "short", (
        (rate("process_cpu_seconds_total", "pod"), "cores {{pod}}"),
        (f"process_resident_memory_bytes{{{J}}} / 1e9", "GB {{pod}}"),
        (f"process_open_fds{{{J}}} / 1000", "thousand files {{pod}}"),
    )),
)  # fmt: skip


def chassis(*, calls: bool, database: bool, leases: bool, cache: bool) -> tuple[Panel, ...]:
    """Return the panels of what the chassis exports for a service; what it can never have is left out.

    ``calls`` other services, ``database`` of its own, ``leases`` of background tasks, ``cache`` of the chassis.
    """
    quiet = [*_QUIET, *[_QUIET_DATABASE] * database, *_QUIET_AUTH * calls, *[_QUIET_CACHE] * cache]
    failed = Panel("What failed quietly", "ops", tuple(quiet))
    return (*(PEERS if calls else ()), failed, *PROCESS, *(LEASES if leases else ()))


CACHED = ("sentiment-service", "openai-service", "trending-service")
"""Services that use the chassis's cache."""

_FEED = (
    one("Feed lag", "s", f"min by (feed) (castor_feed_lag_seconds{{{J}}})", "{{feed}}", 600),
    one("Items taken from the feed", "ops", rate("castor_feed_items_total", "feed"), "{{feed}}"),
)
_CACHE = one("Cache look-ups", "ops", rate("castor_cache_operations_total", "outcome"), "{{outcome}}")

OWN: dict[str, tuple[Panel, ...]] = {
    "auth-service": (
        one("Attempts", "ops", rate("castor_auth_attempts_total", "method, result"), "{{method}} {{result}}"),
        one("p95 of an attempt", "s", quantile(0.95, "castor_auth_duration_seconds", "method"), "{{method}}"),
        one("Passwords hashed or waiting", "none", f"max (castor_auth_password_queue{{{J}}})", "passwords", 48),
        one("Signing keys in memory", "none", f"min (castor_auth_signing_keys{{{J}}})", "fewest of a replica", 1),
        one("Security events", "ops", rate("castor_audit_events_total", "event"), "{{event}}"),
        Panel("Out of the ordinary", "ops", (
            (rate("castor_audit_lost_total", "event"), "lost: {{event}}"),
            (rate("castor_auth_refresh_replays_total"), "refresh replayed"),
        )),
    ),
    "sentiment-service": (
        one("Texts", "ops", rate("castor_sentiment_texts_total", "outcome"), "{{outcome}}"),
        one("Labels", "percentunit", f"{rate('castor_sentiment_labels_total', 'label')} / ignoring (label) "
            f"group_left () {rate('castor_sentiment_labels_total')}", "{{label}}"),
        one("Mean confidence", "percentunit", mean("castor_sentiment_confidence"), "confidence"),
        one("Drift from the model's reference (PSI)", "none", f"max by (of) (castor_sentiment_drift_psi{{{J}}})",
            "{{of}}", 0.25),
        one("Texts that wait", "none", f"sum by (pod) (castor_sentiment_queue_texts{{{J}}})", "{{pod}}"),
        one("Predicted wait of a small request", "s", f"max by (pod) (castor_sentiment_wait_seconds{{{J}}})", "{{pod}}",
            0.3),
        one("Refused requests", "percentunit",
            f"{rate(_HTTP + '_count', where=_REFUSED)} / {rate(_HTTP + '_count')}", "429", 0.02),
        one("Texts refused because they would wait", "ops", rate("castor_sentiment_shed_texts_total"), "refused"),
        one("Replicas with a model", "none", f"count (castor_sentiment_model_info{{{J}, id!=''}})", "replicas"),
        Panel("Inference", "s", tuple((quantile(q, "castor_sentiment_inference_seconds"), f"p{q * 100:g}")
                                      for q in (0.5, 0.95))),
        one("Texts per inference", "none", mean("castor_sentiment_batch_texts"), "texts"),
        one("Tokens", "ops", rate("castor_sentiment_tokens_total", "kind"), "{{kind}}"),
        one("Targets", "ops", rate("castor_sentiment_targets_total", "basis"), "{{basis}}"),
        Panel("Texts without an inference of their own", "ops", (
            (rate("castor_sentiment_shared_texts_total"), "shared"),
            (rate("castor_sentiment_cache_texts_total", "outcome"), "cache {{outcome}}"),
        )),
        one("Models", "none", f"count by (id, version) (castor_sentiment_model_info{{{J}}})", "{{id}} {{version}}"),
    ),
    "openai-service": (
        one("Calls", "ops", rate("castor_openai_call_duration_seconds_count", "operation, provider, outcome"),
            "{{operation}} {{provider}} {{outcome}}"),
        one("p95 by provider", "s", quantile(0.95, "castor_openai_call_duration_seconds", "operation, provider"),
            "{{operation}} {{provider}}"),
        one("Tokens", "ops", rate("castor_openai_tokens_total", "operation, provider, kind"),
            "{{operation}} {{provider}} {{kind}}"),
        one("Cost per hour", "currencyUSD",
            f"sum by (operation) (increase(castor_openai_cost_usd_total{{{J}}}[1h]))", "{{operation}}", 5),
        Panel("Answers without the upstream", "ops", (
            (rate("castor_openai_fallbacks_total", "reason"), "{{reason}}"),
            (rate("castor_openai_retries_total"), "retries"),
            (rate("castor_openai_unpriced_calls_total"), "without a price"),
        )),
        Panel("Failover and hedging", "ops", (
            (rate("castor_openai_failovers_total", "provider, reason"), "{{provider}} {{reason}}"),
            (rate("castor_openai_hedges_total"), "hedged"),
        )),
        one("Calls refused by a budget", "ops", rate("castor_openai_budget_refused_total", "account, why"),
            "{{account}} {{why}}"),
        one("Cost beyond what was held, per hour", "currencyUSD",
            f"sum by (provider) (increase(castor_openai_above_hold_usd_total{{{J}}}[1h]))", "{{provider}}"),
        one("Expired holds", "none",
            f"sum (increase(castor_openai_budget_expired_holds_total{{{J}}}[1h]))", "per hour"),
        Panel("Response cache", "ops", (
            (rate("castor_openai_reused_answers_total", "how"), "{{how}}"),
            (rate("castor_openai_semantic_lookups_total", "outcome"), "semantic: {{outcome}}"),
            (rate("castor_openai_answer_cache_errors_total"), "Redis failed"),
        )),
        one("Tasks", "ops", rate("castor_openai_tasks_total", "task, outcome"), "{{task}} {{outcome}}"),
        Panel("Redacted and withheld", "ops", (
            (rate("castor_openai_redacted_total", "kind"), "redacted: {{kind}}"),
            (rate("castor_openai_withheld_documents_total"), "withheld documents"),
        )),
        Panel("Ledger", "none", (
            (f"max (castor_openai_ledger_queued{{{J}}})", "rows waiting"),
            (f"sum by (reason) (increase(castor_openai_ledger_dropped_total{{{J}}}[1h]))", "lost per hour: {{reason}}"),
        ), 5000),
        _CACHE,
    ),
    "twitter-service": (
        one("Imported rows", "ops", rate("castor_twitter_import_tweets_total", "outcome"), "{{outcome}}"),
        Panel("Scores", "ops", (
            (rate("castor_twitter_scored_total"), "scored"),
            (rate("castor_twitter_unscorable_total"), "unscorable"),
        )),
        one("Tweets that wait for a score", "none", f"max (castor_twitter_scores_pending{{{J}}})", "pending"),
        one("Age of the oldest of them", "s", f"max (castor_twitter_score_lag_seconds{{{J}}})", "age", 900),
        one("Head of the feed", "none", f"max (castor_twitter_feed_head{{{J}}})", "change number"),
        Panel("Feed and matching", "none", (
            (f"sum (castor_twitter_feed_waiters{{{J}}})", "long polls"),
            (rate("castor_twitter_rematched_total"), "tweets matched anew per second"),
        )),
    ),
    "trending-service": (
        *_FEED,
        Panel("Stored", "none", (
            (f"max (castor_trending_tweets{{{J}}})", "tweets"),
            (rate("castor_trending_terms_total"), "terms per second"),
        )),
        one("Changes applied", "ops", rate("castor_trending_changes_total", "change"), "{{change}}"),
        Panel("Time to find topics", "s", tuple((quantile(q, "castor_trending_query_seconds"), f"p{q * 100:g}")
                                                for q in (0.5, 0.95))),
        Panel("Per answer", "none", (
            (mean("castor_trending_candidates"), "terms tested"), (mean("castor_trending_topics"), "topics"),
        )),
        one("Analyses that wait", "none", f"max (castor_trending_analyses_waiting{{{J}}})", "waiting"),
        _CACHE,
    ),
    "rag-service": (
        *_FEED,
        Panel("Documents", "none", (
            (f"min (castor_rag_documents{{{J}}})", "stored"),
            (f"min (castor_rag_pending_embeddings{{{J}}})", "without a vector"),
            (f"min (castor_rag_refused_embeddings{{{J}}})", "refused by the encoder"),
            (f"min (castor_rag_vector_indexes{{{J}}})", "vector indexes"),
        )),
        one("Vectors stored", "ops", rate("castor_rag_embedded_total"), "vectors"),
        one("p95 of finding documents", "s", quantile(0.95, "castor_rag_retrieval_seconds", "part"), "{{part}}"),
        one("Quotes verified and removed", "ops", rate("castor_rag_citations_total", "outcome"), "{{outcome}}"),
        Panel("Answers that are less", "ops", (
            (rate("castor_rag_abstentions_total", "reason"), "abstained: {{reason}}"),
            (rate("castor_rag_degraded_total", "part"), "without {{part}}"),
        )),
    ),
    "forecast-service": (
        one("Forecasts", "ops", rate("castor_forecast_predictions_total", "method"), "{{method}}"),
        Panel("Time of a forecast", "s", tuple((quantile(q, "castor_forecast_seconds"), f"p{q * 100:g}")
                                               for q in (0.5, 0.95))),
        one("Median skill in back-tests", "none", quantile(0.5, "castor_forecast_skill"), "skill", 0),
        one("Mean skill in back-tests", "none", mean("castor_forecast_skill"), "skill", 0),
        one("Analyses that wait", "none", f"max (castor_forecast_analyses_waiting{{{J}}})", "waiting"),
    ),
}  # fmt: skip
