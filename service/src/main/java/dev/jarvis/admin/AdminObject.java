package dev.jarvis.admin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.budget.Budget;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.identity.AuditLog;
import dev.jarvis.identity.StoredKey;
import dev.jarvis.identity.Team;
import dev.jarvis.identity.User;
import dev.jarvis.json.Json;
import dev.jarvis.price.Price;
import dev.jarvis.price.PriceJson;
import dev.jarvis.price.StoredPrice;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Users, teams, keys, budgets, prices and entries of the audit log as the API shows them. */
final class AdminObject {
  private AdminObject() {}

  static ObjectNode user(User user) {
    ObjectNode json =
        Json.object()
            .put("id", user.id())
            .put("object", "user")
            .put("name", user.name())
            .put("role", user.role().id())
            .put("team_id", user.teamId());
    json.set("limits", limits(user.limits()));
    return json.put("blocked", user.blocked())
        .put("state", user.erasing() ? "erasing" : user.blocked() ? "blocked" : "active")
        .put("created_at", user.createdAt().getEpochSecond())
        .put("updated_at", user.updatedAt().getEpochSecond());
  }

  static ObjectNode team(Team team) {
    ObjectNode json =
        Json.object().put("id", team.id()).put("object", "team").put("name", team.name());
    json.set("limits", limits(team.limits()));
    return json.put("blocked", team.blocked())
        .put("created_at", team.createdAt().getEpochSecond())
        .put("updated_at", team.updatedAt().getEpochSecond());
  }

  static ObjectNode key(StoredKey key) {
    StoredKey.Settings settings = key.settings();
    ObjectNode json =
        Json.object()
            .put("id", key.id().toString())
            .put("object", "api_key")
            .put("prefix", key.prefix())
            .put("name", settings.name())
            .put("user_id", key.userId());
    texts(json, "models", settings.models());
    texts(json, "permissions", settings.permissions());
    texts(json, "addresses", settings.addresses());
    json.set("limits", limits(settings.limits()));
    return json.put("state", key.state(Instant.now()).name().toLowerCase(Locale.ROOT))
        .put("expires_at", seconds(settings.expiresAt()))
        .put("revoked_at", seconds(key.revokedAt()))
        .put("replaced_by", key.replacedBy() == null ? null : key.replacedBy().toString())
        .put("last_used_at", seconds(key.lastUsedAt()))
        .put("created_at", key.createdAt().getEpochSecond())
        .put("updated_at", key.updatedAt().getEpochSecond());
  }

  static ObjectNode budget(Budget budget) {
    return Json.object()
        .put("id", budget.id().toString())
        .put("object", "budget")
        .put("scope", budget.scope().id())
        .put("scope_id", budget.scopeId().isEmpty() ? null : budget.scopeId())
        .put("period", budget.period().id())
        .put("limit_usd", usd(budget.limitUsd()))
        .put("hard", budget.hard())
        .put("created_at", budget.createdAt().getEpochSecond())
        .put("updated_at", budget.updatedAt().getEpochSecond());
  }

  /** An amount: at least cents, and no zeros after them. */
  static String usd(BigDecimal amount) {
    BigDecimal plain = amount.stripTrailingZeros();
    return (plain.scale() < 2 ? plain.setScale(2) : plain).toPlainString();
  }

  static ObjectNode price(StoredPrice stored) {
    Price price = stored.price();
    ObjectNode json =
        Json.object()
            .put("id", stored.id().toString())
            .put("object", "price")
            .put("provider", price.name().provider())
            .put("model", price.name().model())
            .put("from", price.from().getEpochSecond())
            .put("revision", stored.revision())
            .put("version", price.version());
    PriceJson.add(json.putObject("tokens"), price.tokens());
    json.set("tiers", PriceJson.tiers(price.tiers()));
    return json.put("source", price.source().id())
        .put("import_id", stored.importId().toString())
        .put("imported_at", stored.importedAt().getEpochSecond());
  }

  static ObjectNode action(AuditLog.Entry entry) {
    AuditLog.Actor actor = entry.actor();
    ObjectNode json =
        Json.object()
            .put("id", entry.id().toString())
            .put("object", "admin_action")
            .put("created_at", entry.at().getEpochSecond())
            .put("action", entry.action())
            .put("actor", actor.userId())
            .put("actor_key", actor.keyId())
            .put("address", actor.address())
            .put("request_id", actor.requestId())
            .put("target_type", entry.target().type())
            .put("target_id", entry.target().id());
    json.set("before", entry.before());
    json.set("after", entry.after());
    return json;
  }

  /** The answer to a deletion. */
  static ObjectNode deleted(String id, String object) {
    return Json.object().put("id", id).put("object", object).put("deleted", true);
  }

  private static ObjectNode limits(RateLimits limits) {
    return Json.object()
        .put("requests_per_minute", limits.requestsPerMinute())
        .put("tokens_per_minute", limits.tokensPerMinute())
        .put("parallel_calls", limits.parallelCalls());
  }

  private static void texts(ObjectNode json, String field, List<String> texts) {
    texts.forEach(json.putArray(field)::add);
  }

  private static @Nullable Long seconds(@Nullable Instant time) {
    return time == null ? null : (Long) time.getEpochSecond();
  }
}
