"""LLM Usage: how much each model answers, how fast, at what cost, and how requests end."""

import thresholds
from panels import ENVIRONMENT, EVALUATION_SECONDS, LOGS
from panels import dashboard, graph, heatmap, log_lines, prom, row, stat, timeline, to_logs

MODEL = f'{ENVIRONMENT}, model=~"$model", provider=~"$provider"'
REQUESTS = f"environment_model_provider_outcome:llm_requests:rate5m{{{MODEL}}}"
TOKENS = f"environment_model_provider_type:llm_tokens:rate5m{{{MODEL}}}"
NAMED = "{{model}} ({{provider}})"
OF_MODEL = "model=`${__field.labels.model}`"


def quantile(metric, *more):
    matchers = ", ".join([MODEL, *more])
    return f"environment_model_provider_quantile:{metric}:histogram_quantile{{{matchers}}}"


def ollama_p95(what):
    metric = f"ollama_{what}_duration_seconds"
    return f'environment_model_provider_quantile:{metric}:histogram_quantile{{{MODEL}, quantile="0.95"}}'


def total(rate):
    """The total in the dashboard's time range, from a rate that is recorded at each evaluation."""
    return f"sum(sum_over_time({rate}[$__range])) * {EVALUATION_SECONDS}"


totals = row(
    "In this window",
    stat("Answers", "Requests to models, with any outcome. Normal: follows your users' day.", [prom(total(REQUESTS), "answers", instant=True)], "short", w=6, decimals=0, graph="none"),
    stat(
        "Tokens in",
        "Input tokens, including cached ones, writes to a cache and audio. Normal: well above the output tokens.",
        [prom(total(TOKENS.replace("}", ', type=~".*input|cache_write"}')), "in", instant=True)],
        "short",
        w=6,
        decimals=0,
        graph="none",
    ),
    stat(
        "Tokens out",
        "Output tokens, including reasoning, audio and those of aborted answers. Normal: some hundreds per answer.",
        [prom(total(TOKENS.replace("}", ', type=~"output|reasoning|audio_output"}')), "out", instant=True)],
        "short",
        w=6,
        decimals=0,
        graph="none",
    ),
    stat(
        "Failed",
        "Share of answers that failed in the last 5 minutes, not counting rejected and aborted requests; the worst model. Normal: 0 %.",
        [prom(f"max(environment_model_provider:llm_request_errors:ratio_rate5m{{{MODEL}}})", "worst model")],
        "percentunit",
        w=6,
        noValue="no traffic",
    ),
)

use = row(
    "Use",
    graph(
        "Answers by outcome",
        "Requests per second by outcome; rejected ones never reached a model, aborted: the client disconnected. Normal: ok.",
        [prom(f"sum by (outcome) ({REQUESTS})", "{{outcome}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("outcome=`${__field.labels.outcome}`")],
    ),
    graph(
        "Answers by model",
        "Requests per second by model, without rejected and aborted ones. Normal: the models that your users choose.",
        [prom(f"environment_model_provider:llm_requests_judged:rate5m{{{MODEL}}}", NAMED)],
        "reqps",
        stacked=True,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Failures by model",
        f"Share of the answers of each model that fail, including streams that break off. Normal: 0 %; ModelErrors fires above {thresholds.percent(thresholds.MODEL_ERROR_RATIO)} for 5 minutes.",
        [prom(f"environment_model_provider:llm_request_errors:ratio_rate5m{{{MODEL}}}", NAMED)],
        "percentunit",
        limit=thresholds.MODEL_ERROR_RATIO,
        data_links=[to_logs(f"{OF_MODEL} | outcome=`error`")],
    ),
    graph(
        "Tokens by type",
        "Tokens per second; the types are disjoint. Normal: input above output.",
        [prom(f"sum by (type) ({TOKENS})", "{{type}}")],
        "short",
        w=12,
        stacked=True,
    ),
    graph(
        "Tokens by model",
        "Tokens per second, input and output together. Normal: proportional to the answers by model.",
        [prom(f"sum by (model, provider) ({TOKENS})", NAMED)],
        "short",
        w=12,
        stacked=True,
        data_links=[to_logs(OF_MODEL)],
    ),
)

speed = row(
    "Speed",
    graph(
        "Time to first token",
        f"Time from sending a request to a model to the first piece of its answer, by quantile. Normal: p95 below {thresholds.FIRST_TOKEN_SECONDS} s; a cold model takes longer.",
        [prom(quantile("llm_time_to_first_token_seconds"), f"{NAMED} p{{{{quantile}}}}")],
        "s",
        w=12,
        limit=thresholds.FIRST_TOKEN_SECONDS,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Tokens per second of one answer",
        "Generation speed of the median answer and of the slowest 5 %. Normal: above 10, which is faster than people read.",
        [
            prom("1 / " + quantile("llm_time_per_output_token_seconds", 'quantile="0.5"'), f"{NAMED} median"),
            prom("1 / " + quantile("llm_time_per_output_token_seconds", 'quantile="0.95"'), f"{NAMED} slowest 5 %"),
        ],
        "short",
        w=12,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Complete answers",
        "Time from sending a request to a model to the end of its answer, by quantile. Normal: the time to first token plus the time for the text.",
        [prom(quantile("llm_request_duration_seconds"), f"{NAMED} p{{{{quantile}}}}")],
        "s",
        w=12,
        h=9,
        data_links=[to_logs(OF_MODEL)],
    ),
    heatmap(
        "First tokens",
        "Answers by time to first token; darker means more, a dot links to a trace. Normal: one dark band; one above it is caused by a queue or a cold model.",
        f'sum by (le) (increase(llm_time_to_first_token_seconds_bucket{{telemetry_path="scrape", {MODEL}}}[$__rate_interval]))',
    ),
)

COST = f"environment_model_provider:llm_cost_usd:rate5m{{{MODEL}}}"
COMPARISON = f"environment_model_provider:llm_comparison_cost_usd:rate5m{{{MODEL}}}"
cost = row(
    "Cost",
    stat(
        "Cost in this window",
        "Cost of the answers in this window, at the configured prices. Normal: follows the tokens.",
        [prom(total(COST), "cost", instant=True)],
        "currencyUSD",
        w=6,
        h=8,
        graph="none",
    ),
    graph(
        "Cost per hour",
        "Cost per hour at the current rate, by model, and the cost of the same tokens at the comparison model that the price names. Normal: follows the tokens.",
        [prom(f"{COST} * 3600", NAMED), prom(f"{COMPARISON} * 3600", f"{NAMED} at the comparison model")],
        "currencyUSD",
        w=12,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Answers without a price",
        "Answers per second from models without a price: their cost is unknown and not included in the other panels. Normal: 0 once every model has a price.",
        [prom(f"environment_model_provider:llm_unpriced_requests:rate5m{{{MODEL}}}", NAMED)],
        "reqps",
        w=6,
        data_links=[to_logs(OF_MODEL)],
    ),
)

OF_ANY = f'{ENVIRONMENT}, model=~"$model"'
routing = row(
    "Routing and cache",
    graph(
        "Decisions",
        "Routing decisions per second: the chosen model, the strategy and the reason. Normal: the models that your routes name first; \"only\" if there is no choice.",
        [
            prom(
                f"environment_strategy_model_reason:llm_routing_decisions:rate5m{{{OF_ANY}}}",
                "{{model}}: {{reason}} ({{strategy}})",
            )
        ],
        "reqps",
        w=12,
        stacked=True,
        data_links=[to_logs("routing_reason=`${__field.labels.reason}`")],
    ),
    graph(
        "Fallbacks",
        "Failed attempts per second that were followed by another attempt. Normal: no line; look at the server of one that persists.",
        [prom(f"environment_model_provider_reason:llm_fallbacks:rate5m{{{MODEL}}}", f"{NAMED} {{{{reason}}}}")],
        "reqps",
        w=12,
        data_links=[to_logs("routing_reason=`fallback`")],
    ),
    graph(
        "Cache",
        "Requests to routes with an answer cache: served from it (hit), sent to a model (miss), not cacheable (bypass), Redis too slow (error). Normal: hits as your users repeat themselves; no errors.",
        [prom(f"environment_result:llm_cache_requests:rate5m{{{ENVIRONMENT}}}", "{{result}}")],
        "reqps",
        w=12,
        stacked=True,
        data_links=[to_logs("outcome=`cached`")],
    ),
    graph(
        "Circuit breakers",
        "1 while a replica does not use a model because 5 of its last 10 answers failed; the breaker stays open for 10 s at a time. Normal: 0; look at the server of a model that returns to 1.",
        [prom(f"environment_model_provider:llm_circuit_open:max{{{MODEL}}}", NAMED)],
        "short",
        w=12,
        data_links=[to_logs("outcome=`error`")],
    ),
    graph(
        "Cut prompts",
        "Answers per second whose model did not see the whole prompt, because it is longer than the context window. Normal: 0; enlarge the window (num_ctx), or set context of the route to refuse or fit.",
        [prom(f"environment_model_provider:llm_truncated_prompts:rate5m{{{MODEL}}}", NAMED)],
        "reqps",
        w=24,
        data_links=[to_logs("prompt_truncated=`true`")],
    ),
)

ollama = row(
    "Ollama",
    graph(
        "Loads",
        f"Time to load a model, p95. Normal: tens of milliseconds; above {thresholds.COLD_LOAD_SECONDS} s it was loaded from disk.",
        [prom(ollama_p95("load"), NAMED)],
        "s",
        limit=thresholds.COLD_LOAD_SECONDS,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Prompts",
        "Time to evaluate a prompt, p95. Normal: below 1 s; it grows with the part of the prompt that is not in Ollama's cache.",
        [prom(ollama_p95("prompt"), NAMED)],
        "s",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Generations",
        "Time to generate an answer, p95, without the wait for a free slot. Normal: the number of tokens divided by the tokens per second.",
        [prom(ollama_p95("generation"), NAMED)],
        "s",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Cold loads",
        "Answers per minute that waited for their model to be loaded. Normal: 0, except for the first answer after an idle time; "
        "repeated loads mean too little memory or too short a keep-alive.",
        [prom(f"60 * environment_model_provider:ollama_cold_loads:rate5m{{{MODEL}}}", NAMED)],
        "reqpm",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Tokens per second during generation",
        "Mean generation speed of completed answers, as reported by Ollama. Normal: steady for a model and its machine.",
        [prom(f"environment_model_provider:ollama_tokens_per_second:ratio_rate5m{{{MODEL}}}", NAMED)],
        "short",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Models in memory",
        "Number of models that Ollama holds in memory. Normal: those in use; 0 after a long idle time, or if Ollama does not respond.",
        [prom(f"environment_provider:ollama_resident_models:max{{{ENVIRONMENT}}}", "{{provider}}")],
        "short",
        decimals=0,
    ),
    graph(
        "Memory by model",
        "Memory that Ollama reports for each loaded model. Normal: only vram if there is a graphics card; a part in ram makes the model slow.",
        [prom(f"environment_model_provider_kind:ollama_resident_model_memory_bytes:max{{{MODEL}}} > 0", f"{NAMED} {{{{kind}}}}")],
        "bytes",
        w=24,
        stacked=True,
        data_links=[to_logs(OF_MODEL)],
    ),
)

servers = row(
    "Model servers and the ledger",
    timeline(
        "Model servers",
        "Whether any model server responds to the API's health checks. Normal: always up.",
        [prom(f'environment_dependency:dependency_up:min{{{ENVIRONMENT}, dependency="ollama"}}', "model servers")],
    ),
    timeline(
        "Model providers",
        "Whether each provider answered when it was last asked for its models, the worst of all replicas. Normal: always up; "
        "GET /health/providers says why one is down.",
        [prom(f"environment_provider:llm_provider_up:min{{{ENVIRONMENT}}}", "{{provider}}")],
    ),
    graph(
        "Ledger rows",
        "Ledger rows per second by result: written to the database, or lost. Normal: all ok, one per request to a model.",
        [prom(f"environment_result:ledger_rows:rate5m{{{ENVIRONMENT}}}", "{{result}}")],
        "ops",
        w=12,
        h=5,
        stacked=True,
    ),
)

ledger = row(
    "Ledger",
    graph(
        "Entries that wait",
        "Ledger entries that are on the replicas' disks only. Normal: a few, for less than a second; more while PostgreSQL takes none.",
        [prom(f"environment:ledger_spool_records:max{{{ENVIRONMENT}}}", "entries")],
        "short",
    ),
    graph(
        "Oldest entry that waits",
        f"How long PostgreSQL has not taken an entry. Normal: 0 s; above {thresholds.minutes(thresholds.LEDGER_WAIT_SECONDS)} it is looked into.",
        [prom(f"environment:ledger_spool_age_seconds:max{{{ENVIRONMENT}}}", "oldest")],
        "s",
        limit=thresholds.LEDGER_WAIT_SECONDS,
    ),
    graph(
        "Spool",
        "Size of the largest spool. Normal: what was written within ledger.spool-keep; never above ledger.spool-max.",
        [prom(f"environment:ledger_spool_bytes:max{{{ENVIRONMENT}}}", "largest")],
        "bytes",
    ),
    graph(
        "Spool's disk",
        "Whether a replica cannot write its spool, and so refuses calls, and how many damaged files it keeps. Normal: 0 of both.",
        [
            prom(f"environment:ledger_spool_failing:max{{{ENVIRONMENT}}}", "cannot be written"),
            prom(f"environment:ledger_quarantined_segments:max{{{ENVIRONMENT}}}", "damaged files"),
        ],
        "short",
    ),
    graph(
        "Calls settled by an estimate",
        "Calls per second that a killed replica left, by who settled them: the replica itself when it started, or another one. Normal: none.",
        [prom(f"environment_by:ledger_recovered_calls:rate5m{{{ENVIRONMENT}}}", "{{by}}")],
        "ops",
    ),
    graph(
        "Replays",
        "How often a replica wrote all entries again that it keeps, because PostgreSQL is another server. Normal: none.",
        [prom(f"environment:ledger_replays:rate5m{{{ENVIRONMENT}}}", "replays")],
        "ops",
    ),
)

PROCESSED = f"environment_outcome_media_type:documents_processed:rate5m{{{ENVIRONMENT}}}"


def documents_p95(metric, *labels):
    name = "_".join(["environment", *labels, "quantile"])
    return f'{name}:documents_{metric}_duration_seconds:histogram_quantile{{{ENVIRONMENT}, quantile="0.95"}}'


documents = row(
    "Documents",
    graph(
        "Documents processed",
        "Documents per second that became searchable (ok), cannot be read (rejected) or were given up (error). Normal: no errors.",
        [prom(f"sum by (outcome) ({PROCESSED})", "{{outcome}}")],
        "ops",
        stacked=True,
    ),
    graph(
        "Queue",
        "Documents waiting or being processed, and dead letters: documents given up for reasons other than their content. Normal: the queue returns to 0; no dead letters.",
        [
            prom(f"environment:documents_queue_depth:max{{{ENVIRONMENT}}}", "in the queue"),
            prom(f"environment:documents_dead_letters:max{{{ENVIRONMENT}}}", "dead letters"),
        ],
        "short",
        decimals=0,
    ),
    graph(
        "Oldest in the queue",
        f"Waiting time of the oldest document in the queue. Normal: below a minute; DocumentsBacklog fires above {thresholds.minutes(thresholds.DOCUMENT_WAIT_SECONDS)}.",
        [prom(f"environment:documents_queue_oldest_age_seconds:max{{{ENVIRONMENT}}}", "oldest")],
        "s",
        limit=thresholds.DOCUMENT_WAIT_SECONDS,
    ),
    graph(
        "To be indexed again",
        "Searchable documents whose words an older release indexed; searches find them by the old rules. Normal: 0; after an upgrade that changes the index it falls to 0 while no uploads wait.",
        [prom(f"environment:documents_outdated:max{{{ENVIRONMENT}}}", "outdated")],
        "short",
        decimals=0,
    ),
    graph(
        "Time to searchable",
        "Time from the end of an upload, or from a manual retry, until the document is searchable. Normal: seconds for short texts, minutes for books with embeddings.",
        [
            prom(f"environment_quantile:documents_time_to_searchable_seconds:histogram_quantile{{{ENVIRONMENT}}}", "p{{quantile}}")
        ],
        "s",
    ),
    heatmap(
        "Documents by time to searchable",
        "Documents by time until they are searchable; darker means more, a dot links to the trace of the processing. Normal: one dark band; documents above it waited in the queue or were retried.",
        'sum by (le) (increase(documents_time_to_searchable_seconds_bucket{telemetry_path="scrape", %s}[$__rate_interval]))' % ENVIRONMENT,
    ),
    graph(
        "Stages, p95",
        "The p95 of each stage of document processing. Normal: embed takes longest.",
        [prom(documents_p95("stage", "stage"), "{{stage}}")],
        "s",
    ),
    graph(
        "Retries and deferrals",
        "Failed processing attempts per second that will be retried, and deferrals by limits of JARVIS itself, by stage. Normal: none.",
        [
            prom(f"environment_stage:documents_retries:rate5m{{{ENVIRONMENT}}}", "{{stage}}"),
            prom(f"environment_stage:documents_deferrals:rate5m{{{ENVIRONMENT}}}", "{{stage}}, deferred"),
        ],
        "ops",
        stacked=True,
    ),
    graph(
        "Sandbox of the reader",
        "Whether each layer of the sandbox confines the process that reads files, on the replica where it is weakest. Normal: 1; a lower value means that the kernel or the container refuses the layer, or that documents.sandbox is off.",
        [prom(f"environment_layer:documents_reader_sandbox:min{{{ENVIRONMENT}}}", "{{layer}}")],
        "none",
    ),
    graph(
        "Searches, p95",
        "The p95 of document searches, including those of grounded chats. Normal: hybrid searches take as long as an embedding.",
        [prom(documents_p95("search", "mode"), "{{mode}}")],
        "s",
    ),
)

money = row(
    "Money",
    graph(
        "Where calls reserve",
        "The replicas' way of reserving money: 1 for those in use. Normal: redis only.",
        [prom(f"environment_state:budget_state:max{{{ENVIRONMENT}}}", "{{state}}")],
        "none",
    ),
    graph(
        "Budgets near or over their limit",
        "Budgets that are near their limit or used up, by scope and the ledger. Normal: follows the month.",
        [
            prom(f"environment_scope:budgets_near_limit:max{{{ENVIRONMENT}}}", "{{scope}}, near"),
            prom(f"environment_scope:budgets_used_up:max{{{ENVIRONMENT}}}", "{{scope}}, used up"),
        ],
        "short",
        decimals=0,
    ),
    graph(
        "Refusals by budgets",
        "Requests per second that hard budgets refused, by scope. Normal: none.",
        [prom(f"environment_scope:budget_refusals:rate5m{{{ENVIRONMENT}}}", "{{scope}}")],
        "reqps",
    ),
    graph(
        "Reservations",
        "Calls that hold a reservation, on the replica with the most: in progress, or ended and not in the ledger yet. Normal: settled stays near 0.",
        [prom(f"environment_state:budget_reservations:max{{{ENVIRONMENT}}}", "{{state}}")],
        "short",
        decimals=0,
    ),
    graph(
        "Drift of budgets",
        "The largest difference between a budget's counter and the ledger at the last refresh. Normal: 0.",
        [prom(f"environment:budget_drift_usd:max{{{ENVIRONMENT}}}", "drift")],
        "currencyUSD",
    ),
)

logs = row(
    "Logs",
    log_lines(
        "Answers in the logs",
        "The completion of each request to one of the selected models; the trace_id of a line links to its trace. Normal: outcome ok.",
        f'{LOGS} |= `request_completed` | model=~"$model" | outcome!=``',
    ),
)

DASHBOARD = dashboard(
    "jarvis-llm",
    "LLM Usage",
    "How much each model answers, how fast, at what cost, and how requests end.",
    ["environment", "model", "provider"],
    totals,
    use,
    speed,
    cost,
    routing,
    ollama,
    servers,
    ledger,
    documents,
    money,
    logs,
)
