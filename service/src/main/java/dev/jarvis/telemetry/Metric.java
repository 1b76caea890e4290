package dev.jarvis.telemetry;

import java.util.List;

/**
 * Every metric that the service makes itself: the one place for names, units, labels and buckets.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists are List.of
public enum Metric {
  HTTP_REQUESTS(
      "http.requests",
      Type.COUNTER,
      "{request}",
      "HTTP requests answered",
      List.of(Label.METHOD, Label.ROUTE, Label.STATUS)),
  HTTP_REQUEST_DURATION(
      "http.request.duration",
      Type.HISTOGRAM,
      "s",
      "Time from a request's head to the end of its answer",
      List.of(Label.METHOD, Label.ROUTE),
      List.of(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1., 2., 2.5, 5., 7.5, 10., 30., 60.)),
  HTTP_RESPONSES_BROKEN(
      "http.responses.broken",
      Type.COUNTER,
      "{response}",
      "Answers that broke off by a fault of ours after their good status was sent",
      List.of(Label.ROUTE)),
  HTTP_ACTIVE_REQUESTS(
      "http.active_requests",
      Type.UP_DOWN_COUNTER,
      "{request}",
      "HTTP requests being answered now",
      List.of()),
  HTTP_REQUEST_BODY_RESERVED(
      "http.request.body.reserved",
      Type.GAUGE,
      "By",
      "Memory reserved for requests being answered now: bodies, whole answers, vectors",
      List.of()),
  LLM_REQUESTS(
      "llm.requests",
      Type.COUNTER,
      "{request}",
      "Requests for an answer of a model, by how they ended",
      List.of(Label.MODEL, Label.PROVIDER, Label.OUTCOME)),
  LLM_TOKENS(
      "llm.tokens",
      Type.COUNTER,
      "{token}",
      "Tokens used; the types are disjoint, so that they sum",
      List.of(Label.MODEL, Label.PROVIDER, Label.TYPE)),
  LLM_REQUEST_DURATION(
      "llm.request.duration",
      Type.HISTOGRAM,
      "s",
      "Time from asking the model to the end of its answer",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.05, .1, .25, .5, 1., 2., 5., 10., 20., 30., 60., 120., 300., 600.)),
  LLM_TIME_TO_FIRST_TOKEN(
      "llm.time_to_first_token",
      Type.HISTOGRAM,
      "s",
      "Time from asking the model to the first piece of its answer",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.01, .025, .05, .1, .25, .5, .75, 1., 2., 3., 5., 7.5, 10., 30., 60., 120.)),
  LLM_TIME_PER_OUTPUT_TOKEN(
      "llm.time_per_output_token",
      Type.HISTOGRAM,
      "s",
      "Mean time of a token after the first one",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3, .5, 1., 2.5)),
  LLM_WAITING_REQUESTS(
      "llm.waiting_requests",
      Type.UP_DOWN_COUNTER,
      "{request}",
      "Requests for an answer that wait for their turn",
      List.of()),
  LLM_COST(
      "llm.cost.usd",
      Type.COUNTER,
      "{USD}",
      "What answers cost, in USD, by the configured prices",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_COMPARISON_COST(
      "llm.comparison_cost.usd",
      Type.COUNTER,
      "{USD}",
      "What the same tokens cost at the model that a price names to compare with, in USD",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_UNPRICED_REQUESTS(
      "llm.unpriced_requests",
      Type.COUNTER,
      "{request}",
      "Answers of models without a price",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_ROUTING_DECISIONS(
      "llm.routing.decisions",
      Type.COUNTER,
      "{decision}",
      "Decisions about who answers, by what decided",
      List.of(Label.STRATEGY, Label.MODEL, Label.REASON)),
  LLM_FALLBACKS(
      "llm.fallbacks",
      Type.COUNTER,
      "{fallback}",
      "Models that were asked and failed before another one, or the same again, was asked",
      List.of(Label.MODEL, Label.PROVIDER, Label.REASON)),
  LLM_CIRCUIT_OPEN(
      "llm.circuit.open",
      Type.GAUGE,
      "1",
      "Whether a model is left alone for failing again and again: 1 or 0",
      List.of(Label.MODEL, Label.PROVIDER)),
  LLM_CACHE_REQUESTS(
      "llm.cache.requests",
      Type.COUNTER,
      "{request}",
      "Requests to routes with a cache, by what came of it",
      List.of(Label.RESULT)),
  OLLAMA_LOAD_DURATION(
      "ollama.load.duration",
      Type.HISTOGRAM,
      "s",
      "Time until Ollama had an answer's model in memory, by its own clock",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.01, .025, .05, .1, .2, .3, .5, 1., 2.5, 5., 10., 20., 30., 60., 120.)),
  OLLAMA_PROMPT_DURATION(
      "ollama.prompt.duration",
      Type.HISTOGRAM,
      "s",
      "Time that Ollama took to read an answer's prompt, by its own clock",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10., 30., 60., 120.)),
  OLLAMA_GENERATION_DURATION(
      "ollama.generation.duration",
      Type.HISTOGRAM,
      "s",
      "Time that Ollama took to write an answer, by its own clock",
      List.of(Label.MODEL, Label.PROVIDER),
      List.of(.05, .1, .25, .5, 1., 2., 5., 10., 20., 30., 60., 120., 300., 600.)),
  OLLAMA_GENERATED_TOKENS(
      "ollama.generated_tokens",
      Type.COUNTER,
      "{token}",
      "Tokens of the answers whose generation Ollama timed: over that time they are tokens a second",
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
      "Models that Ollama holds in memory; 0 if it does not answer",
      List.of(Label.PROVIDER)),
  OLLAMA_RESIDENT_MODEL_MEMORY(
      "ollama.resident_model.memory",
      Type.GAUGE,
      "By",
      "Memory that Ollama reckons with for a model in memory, 0 for one that is not",
      List.of(Label.MODEL, Label.PROVIDER, Label.KIND)),
  ACTIVE_USERS(
      "active_users",
      Type.GAUGE,
      "",
      "Distinct users of the last 5 minutes over all replicas; read it with max",
      List.of()),
  DEPENDENCY_UP(
      "dependency.up",
      Type.GAUGE,
      "",
      "Whether a dependency answered its last health check: 1, or 0",
      List.of(Label.DEPENDENCY)),
  DOCUMENTS_PROCESSED(
      "documents.processed",
      Type.COUNTER,
      "{document}",
      "Documents whose processing ended, by how",
      List.of(Label.OUTCOME, Label.MEDIA_TYPE)),
  DOCUMENTS_STAGE_DURATION(
      "documents.stage.duration",
      Type.HISTOGRAM,
      "s",
      "Time of a stage of a document's way to the index, also where it failed",
      List.of(Label.STAGE),
      List.of(.005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10., 30., 60., 120., 300., 600.)),
  DOCUMENTS_TIME_TO_SEARCHABLE(
      "documents.time_to_searchable",
      Type.HISTOGRAM,
      "s",
      "Time from the end of a document's upload, or its retry by hand, until it can be asked about",
      List.of(),
      List.of(.5, 1., 2., 5., 10., 20., 30., 60., 120., 300., 600., 1800., 3600., 21600., 86400.)),
  DOCUMENTS_RETRIES(
      "documents.retries",
      Type.COUNTER,
      "{retry}",
      "Attempts at a document that failed and are made again, by the stage that failed",
      List.of(Label.STAGE)),
  DOCUMENTS_QUEUE_DEPTH(
      "documents.queue.depth",
      Type.GAUGE,
      "{document}",
      "Documents that wait or are worked on, of all replicas; read it with max",
      List.of()),
  DOCUMENTS_QUEUE_OLDEST_AGE(
      "documents.queue.oldest_age",
      Type.GAUGE,
      "s",
      "How long the oldest of them has waited, since its upload or its retry by hand; read it with max",
      List.of()),
  DOCUMENTS_DEAD_LETTERS(
      "documents.dead_letters",
      Type.GAUGE,
      "{document}",
      "Documents that were given up by no fault of their own, of all replicas; read it with max",
      List.of()),
  DOCUMENTS_SEARCH_DURATION(
      "documents.search.duration",
      Type.HISTOGRAM,
      "s",
      "Time of a search in documents, the question's embedding included",
      List.of(Label.MODE),
      List.of(.005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10.)),
  DOCUMENTS_WAITING_REQUESTS(
      "documents.waiting_requests",
      Type.UP_DOWN_COUNTER,
      "{request}",
      "Uploads and searches in documents that wait for a permit",
      List.of(Label.KIND)),
  LEDGER_ROWS(
      "ledger.rows",
      Type.COUNTER,
      "{row}",
      "Rows of LLM use offered to the database, by what became of them",
      List.of(Label.RESULT)),
  LOG_LINES_DROPPED(
      "log.lines.dropped",
      Type.COUNTER,
      "{line}",
      "Log lines that were not written to stdout because the queue before it was full",
      List.of()),
  DB_CLIENT_OPERATION_DURATION(
      "db.client.operation.duration",
      Type.HISTOGRAM,
      "s",
      "Time of a database or Redis operation, as seen by the service",
      List.of(Label.DB_SYSTEM, Label.DB_OPERATION),
      List.of(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10.)),
  DB_CLIENT_OPERATION_ERRORS(
      "db.client.operation.errors",
      Type.COUNTER,
      "{error}",
      "Database or Redis operations that failed",
      List.of(Label.DB_SYSTEM, Label.DB_OPERATION)),
  OBJECT_STORE_OPERATION_DURATION(
      "object_store.operation.duration",
      Type.HISTOGRAM,
      "s",
      "Time of an object-store operation, as seen by the service",
      List.of(Label.STORE_OPERATION),
      List.of(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10., 30.)),
  OBJECT_STORE_OPERATION_ERRORS(
      "object_store.operation.errors",
      Type.COUNTER,
      "{error}",
      "Object-store operations that failed",
      List.of(Label.STORE_OPERATION));

  /** What kind of instrument a metric is. */
  public enum Type {
    COUNTER,
    UP_DOWN_COUNTER,
    GAUGE,
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
   * The name in Prometheus: dots become underscores, the unit is spelled out, a counter ends in
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

  /** The unit in UCUM, empty where there is none. */
  public String unit() {
    return unit;
  }

  public String description() {
    return description;
  }

  public List<Label> labels() {
    return labels;
  }

  /** Upper bounds of a histogram's buckets, in its unit. */
  public List<Double> buckets() {
    return buckets;
  }
}
