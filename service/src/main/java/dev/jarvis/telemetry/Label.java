package dev.jarvis.telemetry;

import io.opentelemetry.api.common.AttributeKey;

/**
 * A label of metrics, and what bounds its values. Labels of different metrics may share a name and
 * differ in their values. Users, keys, raw paths, prompts and request ids are never labels.
 */
public enum Label {
  METHOD("method", "the nine methods of RFC 9110 and RFC 5789, `_OTHER` for any other"),
  ROUTE("route", "the registered path templates, `_unmatched` for any other path"),
  STATUS("status", "the HTTP status codes that the service returns"),
  AUTHENTICATION_REASON(
      "reason",
      "`unknown_key`, `revoked_key`, `expired_key`, `invalid_token`, `blocked`, `address`,"
          + " `too_many_failures`, `unavailable`"),
  MODEL("model", "at most 100 models that a provider has listed, `_other` for any other name"),
  PROVIDER("provider", "the configured providers, `_none` if none was chosen"),
  OUTCOME("outcome", "`ok`, `cached`, `error`, `aborted`, `rejected`"),
  DOCUMENT_OUTCOME("outcome", "`ok`, `error`, `rejected`"),
  MEDIA_TYPE("media_type", "the accepted types of documents"),
  STAGE("stage", "`store`, `extract`, `chunk`, `embed`, `index`"),
  LAYER("layer", "`no_new_privileges`, `landlock`, `seccomp`"),
  MODE("mode", "`full_text`, `hybrid`"),
  TYPE("type", "`input`, `cached_input`, `output`, `reasoning`"),
  STRATEGY("strategy", "`priority`, `weighted`, `least-busy`, `lowest-latency`, `lowest-cost`"),
  ROUTING_REASON(
      "reason",
      "`only`, `priority`, `weight`, `least_busy`, `lowest_latency`, `lowest_cost`, `loaded`,"
          + " `fallback`, `last_resort`"),
  FALLBACK_REASON("reason", "`unavailable`, `timeout`, `busy`, `not_found`, `refused`"),
  MEMORY_KIND("kind", "`ram`, `vram`"),
  WAITING_KIND("kind", "`upload`, `search`"),
  DB_SYSTEM("db.system.name", "`postgresql`, `redis`"),
  DB_OPERATION("db.operation.name", "the names of statements and commands in the code"),
  STORE_OPERATION("operation", "the names of object-store calls in the code"),
  DEPENDENCY("dependency", "the names of the checks in `/health`"),
  CACHE_RESULT("result", "`hit`, `miss`, `bypass`, `error`"),
  LIMIT_SCOPE("scope", "`key`, `user`, `team`, `route`"),
  LIMIT("limit", "`requests`, `tokens`, `parallel`"),
  BUDGET_SCOPE("scope", "`all`, `team`, `user`, `key`"),
  BUDGET_RESERVATION("state", "`open`, `settled`"),
  BUDGET_STATE("state", "`redis`, `database`, `blind`"),
  LEDGER_RESULT("result", "`ok`, `error`, `dropped`"),
  RECOVERED_BY("by", "`owner`, `other`"),
  ADMIN_ACTION("action", "the actions of the admin API, such as `user.block`");

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

  /** The values that the label may have, in Markdown. */
  public String bound() {
    return bound;
  }
}
