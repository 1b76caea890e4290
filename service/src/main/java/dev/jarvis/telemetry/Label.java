package dev.jarvis.telemetry;

import io.opentelemetry.api.common.AttributeKey;

/**
 * A label that a metric may carry, and what bounds its values. Users, keys, raw paths, prompts and
 * request ids are never labels.
 */
public enum Label {
  METHOD("method", "the nine methods of RFC 9110 and RFC 5789, `_OTHER` for any other"),
  ROUTE("route", "the templates that are registered, `_unmatched` for any other path"),
  STATUS("status", "HTTP status codes that the service answers"),
  MODEL("model", "models that a provider has listed, 100 at most, `_other` for any other name"),
  PROVIDER("provider", "configured providers, `_none` where none was chosen"),
  OUTCOME("outcome", "`ok`, `cached`, `error`, `aborted`, `rejected`"),
  MEDIA_TYPE("media_type", "the types of documents that are taken"),
  STAGE("stage", "`store`, `extract`, `chunk`, `embed`, `index`"),
  MODE("mode", "`full_text`, `hybrid`"),
  TYPE("type", "`input`, `cached_input`, `output`, `reasoning`"),
  STRATEGY("strategy", "`priority`, `weighted`, `least-busy`, `lowest-latency`, `lowest-cost`"),
  REASON("reason", "words of the code: why a model was chosen, or why it failed"),
  KIND("kind", "`ram`, `vram`; of waiting requests `upload`, `search`"),
  DB_SYSTEM("db.system.name", "`postgresql`, `redis`"),
  DB_OPERATION("db.operation.name", "names of the statements and commands in the code"),
  STORE_OPERATION("operation", "names of the object-store calls in the code"),
  DEPENDENCY("dependency", "names of the checks of `/health`"),
  RESULT("result", "`ok`, `error`, `dropped`; of the cache `hit`, `miss`, `bypass`, `error`");

  private final String attribute;
  private final String bound;

  Label(String attribute, String bound) {
    this.attribute = attribute;
    this.bound = bound;
  }

  /** The attribute's key in OpenTelemetry. */
  public AttributeKey<String> key() {
    return AttributeKey.stringKey(attribute);
  }

  /** The label's name in Prometheus: dots become underscores. */
  public String prometheusName() {
    return attribute.replace('.', '_');
  }

  /** What keeps the set of values small, in words. */
  public String bound() {
    return bound;
  }
}
