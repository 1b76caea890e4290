"""LLM Usage: who answers how much, how fast, and how it ends."""

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


def slowest(what):
    metric = f"ollama_{what}_duration_seconds"
    return f'environment_model_provider_quantile:{metric}:histogram_quantile{{{MODEL}, quantile="0.95"}}'


def total(rate):
    """How many in the window that is shown, of a rate that was recorded at each evaluation."""
    return f"sum(sum_over_time({rate}[$__range])) * {EVALUATION_SECONDS}"


totals = row(
    "In this window",
    stat("Answers", "Requests for an answer, however they ended. Normal: follows your users' day.", [prom(total(REQUESTS), "answers", instant=True)], "short", w=6, decimals=0, graph="none"),
    stat(
        "Tokens in",
        "Tokens of the questions, cached ones included. Normal: well above the tokens out.",
        [prom(total(TOKENS.replace("}", ', type=~".*input"}')), "in", instant=True)],
        "short",
        w=6,
        decimals=0,
        graph="none",
    ),
    stat(
        "Tokens out",
        "Tokens of the answers, also of those that were aborted. Normal: some hundreds an answer.",
        [prom(total(TOKENS.replace("}", ', type="output"}')), "out", instant=True)],
        "short",
        w=6,
        decimals=0,
        graph="none",
    ),
    stat(
        "Failed",
        "Share of answers that failed, of all but rejected and aborted ones, in the last 5 minutes. Normal: 0 %.",
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
        "Requests a second by how they ended; rejected ones never reached a model, aborted ones lost their client. Normal: ok.",
        [prom(f"sum by (outcome) ({REQUESTS})", "{{outcome}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("outcome=`${__field.labels.outcome}`")],
    ),
    graph(
        "Answers by model",
        "Requests a second that a model was asked, without rejected and aborted ones. Normal: the models that your users choose.",
        [prom(f"environment_model_provider:llm_requests_judged:rate5m{{{MODEL}}}", NAMED)],
        "reqps",
        stacked=True,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Failures by model",
        "Share of each model's answers that fail, streams that break off with them. Normal: 0 %; above 10 % for 5 minutes ModelErrors fires.",
        [prom(f"environment_model_provider:llm_request_errors:ratio_rate5m{{{MODEL}}}", NAMED)],
        "percentunit",
        limit=0.1,
        data_links=[to_logs(f"{OF_MODEL} | outcome=`error`")],
    ),
    graph(
        "Tokens by type",
        "Tokens a second; the types are disjoint. Normal: input above output.",
        [prom(f"sum by (type) ({TOKENS})", "{{type}}")],
        "short",
        w=12,
        stacked=True,
    ),
    graph(
        "Tokens by model",
        "Tokens a second, in and out together. Normal: as the answers by model.",
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
        "From asking the model to the first piece of its answer, by quantile. Normal: p95 below 2 s; a cold model takes longer.",
        [prom(quantile("llm_time_to_first_token_seconds"), f"{NAMED} p{{{{quantile}}}}")],
        "s",
        w=12,
        limit=2,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Tokens a second of one answer",
        "How fast a median answer is written, and the slowest 5 %. Normal: above 10, which is faster than people read.",
        [
            prom("1 / " + quantile("llm_time_per_output_token_seconds", 'quantile="0.5"'), f"{NAMED} median"),
            prom("1 / " + quantile("llm_time_per_output_token_seconds", 'quantile="0.95"'), f"{NAMED} slowest 5 %"),
        ],
        "short",
        w=12,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Whole answers",
        "From asking the model to the end of its answer, by quantile. Normal: first token plus the length of the text.",
        [prom(quantile("llm_request_duration_seconds"), f"{NAMED} p{{{{quantile}}}}")],
        "s",
        w=12,
        h=9,
        data_links=[to_logs(OF_MODEL)],
    ),
    heatmap(
        "First tokens",
        "Answers by their time to first token; darker is more, a dot leads to a trace. Normal: one dark band; one above it is a queue or a cold model.",
        f'sum by (le) (increase(llm_time_to_first_token_seconds_bucket{{telemetry_path="scrape", {MODEL}}}[$__rate_interval]))',
    ),
)

COST = f"environment_model_provider:llm_cost_usd:rate5m{{{MODEL}}}"
COMPARISON = f"environment_model_provider:llm_comparison_cost_usd:rate5m{{{MODEL}}}"
cost = row(
    "Cost",
    stat(
        "Cost of this window",
        "What the answers of this window cost by the configured prices. Normal: follows the tokens.",
        [prom(total(COST), "cost", instant=True)],
        "currencyUSD",
        w=6,
        h=8,
        graph="none",
    ),
    graph(
        "Cost an hour",
        "What answers cost at this pace, by model, and what the same tokens would cost at the model that its price names to compare with. Normal: follows the tokens.",
        [prom(f"{COST} * 3600", NAMED), prom(f"{COMPARISON} * 3600", f"{NAMED} elsewhere")],
        "currencyUSD",
        w=12,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Answers without a price",
        "Answers a second of models that have no price: their cost is unknown, and not in the numbers beside. Normal: 0 once every model is priced.",
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
        "Who was chosen to answer, a second, and what decided. Normal: the models that your routes name first; \"only\" where there is no choice.",
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
        "Models that were asked and failed before another one, or the same again, was asked. Normal: no line; one that stays is a server to look after.",
        [prom(f"environment_model_provider_reason:llm_fallbacks:rate5m{{{MODEL}}}", f"{NAMED} {{{{reason}}}}")],
        "reqps",
        w=12,
        data_links=[to_logs("routing_reason=`fallback`")],
    ),
    graph(
        "Cache",
        "Requests to routes with a cache: answered before (hit), asked of a model (miss), not to be cached (bypass), Redis too slow (error). Normal: hits as your users repeat themselves; no errors.",
        [prom(f"environment_result:llm_cache_requests:rate5m{{{ENVIRONMENT}}}", "{{result}}")],
        "reqps",
        w=12,
        stacked=True,
        data_links=[to_logs("outcome=`cached`")],
    ),
    graph(
        "Circuits",
        "1 while a replica leaves a model alone, for 10 s at a time: of its last ten answers five failed. Normal: 0; a model that comes back to 1 has a server to look after.",
        [prom(f"environment_model_provider:llm_circuit_open:max{{{MODEL}}}", NAMED)],
        "short",
        w=12,
        data_links=[to_logs("outcome=`error`")],
    ),
)

ollama = row(
    "Ollama",
    graph(
        "Loads",
        "Until a model was in memory, p95. Normal: tens of milliseconds; above 0.3 s it was loaded from disk first.",
        [prom(slowest("load"), NAMED)],
        "s",
        limit=0.3,
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Prompts",
        "Time to read a prompt, p95. Normal: below 1 s; it grows with the prompt, but not with what is still in Ollama's cache.",
        [prom(slowest("prompt"), NAMED)],
        "s",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Generations",
        "Time to write an answer, p95, without the wait for a free place. Normal: its tokens by the tokens a second.",
        [prom(slowest("generation"), NAMED)],
        "s",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Cold loads",
        "Answers a minute that waited for their model to be loaded. Normal: 0, but for the first answer after a rest; again "
        "and again means too little memory or too short a keep-alive.",
        [prom(f"60 * environment_model_provider:ollama_cold_loads:rate5m{{{MODEL}}}", NAMED)],
        "reqpm",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Tokens a second while writing",
        "Mean speed of the answers that ended, by Ollama's own clock. Normal: steady for a model and its machine.",
        [prom(f"environment_model_provider:ollama_tokens_per_second:ratio_rate5m{{{MODEL}}}", NAMED)],
        "short",
        data_links=[to_logs(OF_MODEL)],
    ),
    graph(
        "Models in memory",
        "How many models Ollama holds in memory. Normal: those in use; 0 after a long rest, or if Ollama does not answer.",
        [prom(f"environment_provider:ollama_resident_models:max{{{ENVIRONMENT}}}", "{{provider}}")],
        "short",
        decimals=0,
    ),
    graph(
        "Memory of models",
        "What Ollama reckons with for each model in memory. Normal: all vram where there is a graphics card; ram beside it is slow.",
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
        "Whether any model server answers the API's health checks. Normal: up all along.",
        [prom(f'environment_dependency:dependency_up:min{{{ENVIRONMENT}, dependency="ollama"}}', "model servers")],
    ),
    graph(
        "Ledger rows",
        "Rows of use written to the database a second, and those that were lost. Normal: all ok, one a request for an answer.",
        [prom(f"environment_result:ledger_rows:rate5m{{{ENVIRONMENT}}}", "{{result}}")],
        "ops",
        w=12,
        h=5,
        stacked=True,
    ),
)

PROCESSED = f"environment_outcome_media_type:documents_processed:rate5m{{{ENVIRONMENT}}}"


def slow(metric, *labels):
    name = "_".join(["environment", *labels, "quantile"])
    return f'{name}:documents_{metric}_duration_seconds:histogram_quantile{{{ENVIRONMENT}, quantile="0.95"}}'


documents = row(
    "Documents",
    graph(
        "Documents processed",
        "Documents that became searchable (ok), that cannot be read (rejected) or were given up (error), a second. Normal: no error.",
        [prom(f"sum by (outcome) ({PROCESSED})", "{{outcome}}")],
        "ops",
        stacked=True,
    ),
    graph(
        "Queue",
        "Documents that wait or are worked on, and dead letters: those that were given up by no fault of their own. Normal: the first falls back to 0, none of the second.",
        [
            prom(f"environment:documents_queue_depth:max{{{ENVIRONMENT}}}", "in the queue"),
            prom(f"environment:documents_dead_letters:max{{{ENVIRONMENT}}}", "dead letters"),
        ],
        "short",
        decimals=0,
    ),
    graph(
        "Oldest in the queue",
        "How long the oldest document in the queue has waited. Normal: below a minute; at 10 minutes DocumentsBacklog fires.",
        [prom(f"environment:documents_queue_oldest_age_seconds:max{{{ENVIRONMENT}}}", "oldest")],
        "s",
        limit=600,
    ),
    graph(
        "Time to searchable",
        "From a document's upload, or its retry by hand, until it can be asked about. Normal: seconds for short texts, minutes for books with embeddings.",
        [
            prom(f"environment_quantile:documents_time_to_searchable_seconds:histogram_quantile{{{ENVIRONMENT}}}", "p{{quantile}}")
        ],
        "s",
    ),
    heatmap(
        "Documents by time to searchable",
        "Documents by the time until they can be asked about; darker is more, a dot leads to the trace of the work. Normal: one dark band; one above it waited in the queue, or was tried again.",
        'sum by (le) (increase(documents_time_to_searchable_seconds_bucket{telemetry_path="scrape", %s}[$__rate_interval]))' % ENVIRONMENT,
    ),
    graph(
        "Stages, p95",
        "The slowest 5 % of each stage take longer. Normal: embed is the longest.",
        [prom(slow("stage", "stage"), "{{stage}}")],
        "s",
    ),
    graph(
        "Retries",
        "Attempts a second that failed and are made again later, by the stage that failed. Normal: none.",
        [prom(f"environment_stage:documents_retries:rate5m{{{ENVIRONMENT}}}", "{{stage}}")],
        "ops",
        stacked=True,
    ),
    graph(
        "Searches, p95",
        "The slowest 5 % of searches take longer, chats that are grounded included. Normal: hybrid as long as an embedding.",
        [prom(slow("search", "mode"), "{{mode}}")],
        "s",
    ),
)

logs = row(
    "Logs",
    log_lines(
        "Answers in the logs",
        "The end of each request that asked one of the chosen models; a line's trace_id leads to its trace. Normal: outcome ok.",
        f'{LOGS} |= `request_completed` | model=~"$model" | outcome!=``',
    ),
)

DASHBOARD = dashboard(
    "jarvis-llm",
    "LLM Usage",
    "Who answers how much, how fast, and how it ends.",
    ["environment", "model", "provider"],
    totals,
    use,
    speed,
    cost,
    routing,
    ollama,
    servers,
    documents,
    logs,
)
