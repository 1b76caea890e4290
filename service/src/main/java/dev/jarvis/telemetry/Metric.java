package dev.jarvis.telemetry;

import java.util.List;

/**
 * The catalogue of the metrics that the service defines. Names, units, labels and buckets stand
 * only here: {@code docs/metrics.md}, the recording rules and the panels of metrics that no other
 * panel shows are generated from it ({@code make generate}).
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists are List.of
public enum Metric {
  HTTP_REQUESTS(
      "http.requests",
      Type.COUNTER,
      "{request}",
      "HTTP requests completed",
      List.of(Label.METHOD, Label.ROUTE, Label.STATUS)),
  HTTP_REQUEST_DURATION(
      "http.request.duration",
      Type.HISTOGRAM,
      "s",
      "Time from a request's head to the end of its response",
      List.of(Label.METHOD, Label.ROUTE),
      List.of(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1., 2., 2.5, 5., 7.5, 10., 30., 60.)),
  HTTP_RESPONSES_BROKEN(
      "http.responses.broken",
      Type.COUNTER,
      "{response}",
      "Responses that broke off because the service or a model failed after a success status was sent",
      List.of(Label.ROUTE)),
  HTTP_ACTIVE_REQUESTS(
      "http.active_requests",
      Type.UP_DOWN_COUNTER,
      "{request}",
      "HTTP requests in progress",
      List.of()),
  HTTP_REQUEST_BODY_RESERVED(
      "http.request.body.reserved",
      Type.GAUGE,
      "By",
      "Memory reserved for requests in progress: bodies, complete answers, vectors",
      List.of()),
  AUTHENTICATION_FAILURES(
      "authentication.failures",
      Type.COUNTER,
      "{failure}",
      "Requests whose key or token was not accepted, by reason",
      List.of(Label.AUTHENTICATION_REASON)),
  IDENTITY_SYNC_AGE(
      "identity.sync.age",
      Type.GAUGE,
      "s",
      "Time since a replica last looked for changes of users, teams and keys",
      List.of()),
  LLM_REQUESTS(
      "llm.requests",
      Type.COUNTER,
      "{request}",
      "Requests to models, by outcome",
      List.of(Label.MODEL, Label.PROVIDER, Label.OUTCOME)),
  LLM_TOKENS(
      "llm.tokens",
      Type.COUNTER,
      "{token}",
      "Tokens used; the types are disjoint, so they can be summed",
      List.of(Label.MODEL, Label.PROVIDER, Label.TYPE)),
  LLM_REQUEST_DURATION(
      "llm.request.duration",
      Type.HISTOGRAM,
      "s",
      "Time from sending a request to a model to the end of its answer",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.05, .1, .25, .5, 1., 2., 5., 10., 20., 30., 60., 120., 300., 600.)),
  LLM_TIME_TO_FIRST_TOKEN(
      "llm.time_to_first_token",
      Type.HISTOGRAM,
      "s",
      "Time from sending a request to a model to the first piece of its answer",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.01, .025, .05, .1, .25, .5, .75, 1., 2., 3., 5., 7.5, 10., 30., 60., 120.)),
  LLM_TIME_PER_OUTPUT_TOKEN(
      "llm.time_per_output_token",
      Type.HISTOGRAM,
      "s",
      "Mean time per token after the first",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3, .5, 1., 2.5)),
  LLM_WAITING_REQUESTS(
      "llm.waiting_requests",
      Type.UP_DOWN_COUNTER,
      "{request}",
      "Requests to models that wait for a permit",
      List.of()),
  LLM_COST(
      "llm.cost.usd",
      Type.COUNTER,
      "{USD}",
      "Cost of answers in USD, at the configured prices",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_COMPARISON_COST(
      "llm.comparison_cost.usd",
      Type.COUNTER,
      "{USD}",
      "Cost in USD of the same tokens at the comparison model that the price names",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_UNPRICED_REQUESTS(
      "llm.unpriced_requests",
      Type.COUNTER,
      "{request}",
      "Answers from models without a configured price",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_TRUNCATED_PROMPTS(
      "llm.truncated_prompts",
      Type.COUNTER,
      "{prompt}",
      "Answers whose model did not see the whole prompt, because it is longer than the context window",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_ROUTING_DECISIONS(
      "llm.routing.decisions",
      Type.COUNTER,
      "{decision}",
      "Routing decisions, by strategy and reason",
      List.of(Label.STRATEGY, Label.MODEL, Label.ROUTING_REASON)),
  LLM_FALLBACKS(
      "llm.fallbacks",
      Type.COUNTER,
      "{fallback}",
      "Failed attempts that were followed by another attempt",
      List.of(Label.MODEL, Label.PROVIDER, Label.FALLBACK_REASON)),
  LLM_CIRCUIT_OPEN(
      "llm.circuit.open",
      Type.GAUGE,
      "",
      "Whether the circuit breaker of a model is open: 1 or 0",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_PROVIDER_UP(
      "llm.provider.up",
      Type.GAUGE,
      "",
      "Whether a model provider answered when it was last asked for its models: 1 or 0",
      List.of(Label.PROVIDER)),
  LLM_CACHE_REQUESTS(
      "llm.cache.requests",
      Type.COUNTER,
      "{request}",
      "Requests to routes with an answer cache, by result",
      List.of(Label.CACHE_RESULT)),
  OLLAMA_LOAD_DURATION(
      "ollama.load.duration",
      Type.HISTOGRAM,
      "s",
      "Time to load the model of an answer, as reported by Ollama",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.01, .025, .05, .1, .2, .3, .5, 1., 2.5, 5., 10., 20., 30., 60., 120.)),
  OLLAMA_PROMPT_DURATION(
      "ollama.prompt.duration",
      Type.HISTOGRAM,
      "s",
      "Time to evaluate the prompt of an answer, as reported by Ollama",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10., 30., 60., 120.)),
  OLLAMA_GENERATION_DURATION(
      "ollama.generation.duration",
      Type.HISTOGRAM,
      "s",
      "Time to generate an answer, as reported by Ollama",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.05, .1, .25, .5, 1., 2., 5., 10., 20., 30., 60., 120., 300., 600.)),
  OLLAMA_GENERATED_TOKENS(
      "ollama.generated_tokens",
      Type.COUNTER,
      "{token}",
      "Tokens of the answers whose generation time Ollama reported; divided by it, tokens per second",
      List.of(Label.MODEL, Label.PROVIDER)),
  OLLAMA_COLD_LOADS(
      "ollama.cold_loads",
      Type.COUNTER,
      "{answer}",
      "Answers that waited more than 300 ms for Ollama to load their model",
      List.of(Label.MODEL, Label.PROVIDER)),
  OLLAMA_RESIDENT_MODELS(
      "ollama.resident_models",
      Type.GAUGE,
      "{model}",
      "Models that Ollama holds in memory; 0 if Ollama does not respond",
      List.of(Label.PROVIDER)),
  OLLAMA_RESIDENT_MODEL_MEMORY(
      "ollama.resident_model.memory",
      Type.GAUGE,
      "By",
      "Memory that Ollama reports for a loaded model; 0 once it is unloaded",
      List.of(Label.MODEL, Label.PROVIDER, Label.MEMORY_KIND)),
  ACTIVE_USERS(
      "active_users",
      Type.GAUGE,
      "",
      "Distinct users of the last 5 minutes, over all replicas",
      List.of()),
  LIMIT_REFUSALS(
      "limit.refusals",
      Type.COUNTER,
      "{request}",
      "Requests refused by a rate limit of JARVIS, by who shares it and what it limits",
      List.of(Label.LIMIT_SCOPE, Label.LIMIT)),
  LIMITS_LOCAL(
      "limits.local",
      Type.GAUGE,
      "",
      "Whether a replica counts requests on its own because Redis is unavailable: 1 or 0",
      List.of()),
  BUDGET_REFUSALS(
      "budget.refusals",
      Type.COUNTER,
      "{request}",
      "Requests refused by a hard budget, by whose budget it is",
      List.of(Label.BUDGET_SCOPE)),
  BUDGET_RESERVATIONS(
      "budget.reservations",
      Type.GAUGE,
      "{call}",
      "Calls of a replica that hold a reservation: in progress, or ended and not in the ledger yet",
      List.of(Label.BUDGET_RESERVATION)),
  BUDGET_STATE(
      "budget.state",
      Type.GAUGE,
      "",
      "Where a replica reserves: 1 for the one that it uses",
      List.of(Label.BUDGET_STATE)),
  BUDGET_DRIFT(
      "budget.drift.usd",
      Type.GAUGE,
      "{USD}",
      "The largest difference between a budget's counter and the ledger that the last refresh found",
      List.of()),
  BUDGETS_NEAR_LIMIT(
      "budgets.near_limit",
      Type.GAUGE,
      "{budget}",
      "Budgets near their limit, but not used up, by the ledger",
      List.of(Label.BUDGET_SCOPE)),
  BUDGETS_USED_UP(
      "budgets.used_up",
      Type.GAUGE,
      "{budget}",
      "Budgets that are used up, by the ledger",
      List.of(Label.BUDGET_SCOPE)),
  DEPENDENCY_UP(
      "dependency.up",
      Type.GAUGE,
      "",
      "Whether the last health check of a dependency succeeded: 1 or 0",
      List.of(Label.DEPENDENCY)),
  DOCUMENTS_PROCESSED(
      "documents.processed",
      Type.COUNTER,
      "{document}",
      "Documents whose processing ended, by outcome",
      List.of(Label.DOCUMENT_OUTCOME, Label.MEDIA_TYPE)),
  DOCUMENTS_STAGE_DURATION(
      "documents.stage.duration",
      Type.HISTOGRAM,
      "s",
      "Duration of a stage of document processing, including failed ones",
      List.of(Label.STAGE),
      List.of(.005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10., 30., 60., 120., 300., 600.)),
  DOCUMENTS_TIME_TO_SEARCHABLE(
      "documents.time_to_searchable",
      Type.HISTOGRAM,
      "s",
      "Time from the end of an upload, or from a manual retry, until the document is searchable",
      List.of(),
      List.of(.5, 1., 2., 5., 10., 20., 30., 60., 120., 300., 600., 1800., 3600., 21600., 86400.)),
  DOCUMENTS_RETRIES(
      "documents.retries",
      Type.COUNTER,
      "{retry}",
      "Failed processing attempts that will be retried, by the stage that failed",
      List.of(Label.STAGE)),
  DOCUMENTS_DEFERRALS(
      "documents.deferrals",
      Type.COUNTER,
      "{deferral}",
      "Times that a limit of JARVIS itself deferred the processing of a document, by stage",
      List.of(Label.STAGE)),
  DOCUMENTS_READER_SANDBOX(
      "documents.reader.sandbox",
      Type.GAUGE,
      "",
      "Whether a layer of the sandbox confines the process that reads files: 1 or 0",
      List.of(Label.LAYER)),
  DOCUMENTS_QUEUE_DEPTH(
      "documents.queue.depth",
      Type.GAUGE,
      "{document}",
      "Documents waiting or being processed, over all replicas",
      List.of()),
  DOCUMENTS_QUEUE_OLDEST_AGE(
      "documents.queue.oldest_age",
      Type.GAUGE,
      "s",
      "Time since the upload or manual retry of the oldest document in the queue",
      List.of()),
  DOCUMENTS_DEAD_LETTERS(
      "documents.dead_letters",
      Type.GAUGE,
      "{document}",
      "Documents given up for reasons other than their content, over all replicas",
      List.of()),
  DOCUMENTS_OUTDATED(
      "documents.outdated",
      Type.GAUGE,
      "{document}",
      "Searchable documents to be indexed again by the rules of this release, over all replicas; at most 100,000 are counted",
      List.of()),
  DOCUMENTS_SEARCH_DURATION(
      "documents.search.duration",
      Type.HISTOGRAM,
      "s",
      "Duration of a document search, including the embedding of the query",
      List.of(Label.MODE),
      List.of(.005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10.)),
  DOCUMENTS_WAITING_REQUESTS(
      "documents.waiting_requests",
      Type.UP_DOWN_COUNTER,
      "{request}",
      "Document uploads and searches that wait for a permit",
      List.of(Label.WAITING_KIND)),
  LEDGER_ROWS(
      "ledger.rows",
      Type.COUNTER,
      "{row}",
      "Ledger entries that were written, that PostgreSQL rejected, and that there was no room for",
      List.of(Label.LEDGER_RESULT)),
  LEDGER_SPOOL_SIZE(
      "ledger.spool.size",
      Type.GAUGE,
      "By",
      "Size of the ledger's spool on the local disk",
      List.of()),
  LEDGER_SPOOL_RECORDS(
      "ledger.spool.records",
      Type.GAUGE,
      "{entry}",
      "Ledger entries in the spool that wait for PostgreSQL",
      List.of()),
  LEDGER_SPOOL_AGE(
      "ledger.spool.age",
      Type.GAUGE,
      "s",
      "How long the oldest ledger entry in the spool has waited for PostgreSQL",
      List.of()),
  LEDGER_SPOOL_FAILING(
      "ledger.spool.failing",
      Type.GAUGE,
      "1",
      "Whether the spool cannot be written, so that new calls are refused",
      List.of()),
  LEDGER_QUARANTINED_SEGMENTS(
      "ledger.quarantined_segments",
      Type.GAUGE,
      "{file}",
      "Damaged files of the spool that are kept until somebody deletes them",
      List.of()),
  LEDGER_RECOVERED_CALLS(
      "ledger.recovered_calls",
      Type.COUNTER,
      "{call}",
      "Calls settled by an estimate after their replica was killed",
      List.of(Label.RECOVERED_BY)),
  LEDGER_REPLAYS(
      "ledger.replays",
      Type.COUNTER,
      "{replay}",
      "Times that all kept ledger entries were written again because PostgreSQL is another server",
      List.of()),
  ADMIN_ACTIONS(
      "admin.actions",
      Type.COUNTER,
      "{action}",
      "What administrators did through the API",
      List.of(Label.ADMIN_ACTION)),
  LOG_LINES_DROPPED(
      "log.lines.dropped",
      Type.COUNTER,
      "{line}",
      "Log lines dropped because the queue to stdout was full",
      List.of()),
  DB_CLIENT_OPERATION_DURATION(
      "db.client.operation.duration",
      Type.HISTOGRAM,
      "s",
      "Duration of a database or Redis operation, as seen by the service",
      List.of(Label.DB_SYSTEM, Label.DB_OPERATION),
      List.of(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10.)),
  DB_CLIENT_OPERATION_ERRORS(
      "db.client.operation.errors",
      Type.COUNTER,
      "{error}",
      "Failed database or Redis operations",
      List.of(Label.DB_SYSTEM, Label.DB_OPERATION)),
  OBJECT_STORE_OPERATION_DURATION(
      "object_store.operation.duration",
      Type.HISTOGRAM,
      "s",
      "Duration of an object-store operation, as seen by the service",
      List.of(Label.STORE_OPERATION),
      List.of(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10., 30.)),
  OBJECT_STORE_OPERATION_ERRORS(
      "object_store.operation.errors",
      Type.COUNTER,
      "{error}",
      "Failed object-store operations",
      List.of(Label.STORE_OPERATION));

  /** The kind of instrument; it also decides how the values of several replicas are combined. */
  public enum Type {
    /** Only rises. Replicas are summed. */
    COUNTER,
    /** Rises and falls with the work of one replica, and is recorded per replica. */
    UP_DOWN_COUNTER,
    /** A value read at each collection. Of several replicas the maximum counts. */
    GAUGE,
    /** A distribution. The buckets of replicas are summed. */
    HISTOGRAM
  }

  private final String instrument;
  private final Type type;
  private final String unit;
  private final String description;
  private final List<Label> labels;
  private final List<Double> buckets;

  Metric(String instrument, Type type, String unit, String description, List<Label> labels) {
    this(instrument, type, unit, description, labels, List.of());
  }

  Metric(
      String instrument,
      Type type,
      String unit,
      String description,
      List<Label> labels,
      List<Double> buckets) {
    this.instrument = instrument;
    this.type = type;
    this.unit = unit;
    this.description = description;
    this.labels = labels;
    this.buckets = buckets;
  }

  /** The instrument's name in OpenTelemetry. */
  public String instrument() {
    return instrument;
  }

  /**
   * The name in Prometheus: dots become underscores, the unit is spelled out, counters end in
   * {@code _total} (<a
   * href="https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/">OpenTelemetry's
   * rule</a>).
   */
  public String prometheusName() {
    String unitSuffix =
        switch (unit) {
          case "s" -> "_seconds";
          case "By" -> "_bytes";
          default -> "";
        };
    String typeSuffix = type == Type.COUNTER ? "_total" : "";
    return instrument.replace('.', '_') + unitSuffix + typeSuffix;
  }

  public Type type() {
    return type;
  }

  /**
   * The unit in UCUM; empty if there is none. Never {@code 1}: Prometheus would append {@code
   * _ratio} to what it receives by OTLP, but not to what it scrapes.
   */
  public String unit() {
    return unit;
  }

  public String description() {
    return description;
  }

  public List<Label> labels() {
    return labels;
  }

  /** Upper bounds of a histogram's buckets, in the metric's unit. */
  public List<Double> buckets() {
    return buckets;
  }
}
