package dev.jarvis.admin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.config.AddressBlock;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.identity.StoredKey;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads what an administrator sets of a key. */
final class KeySettings {
  private static final StoredKey.Settings NONE =
      new StoredKey.Settings(null, List.of(), List.of(), List.of(), RateLimits.DEFAULTS, null);

  private KeySettings() {}

  /** The settings of a new key. */
  static StoredKey.Settings created(ObjectNode body) {
    return changed(body, NONE);
  }

  static StoredKey.Settings changed(ObjectNode body, StoredKey.Settings present) {
    List<String> addresses = Fields.texts(body, "addresses", present.addresses());
    for (int i = 0; i < addresses.size(); i++) {
      requireAddress(addresses.get(i), i);
    }
    return new StoredKey.Settings(
        Fields.name(body, present.name()),
        Fields.texts(body, "models", present.models()),
        Fields.texts(body, "permissions", present.permissions()),
        addresses,
        Fields.limits(body, present.limits()),
        expiry(body, present.expiresAt()));
  }

  private static void requireAddress(String text, int index) {
    try {
      AddressBlock.parse(text);
    } catch (IllegalArgumentException e) {
      String param = "addresses[%d]".formatted(index);
      throw Fields.invalid(
          "'%s' is '%s'; it must be an address or a CIDR block, such as 10.0.0.0/8 or ::1."
              .formatted(param, text),
          param);
    }
  }

  private static @Nullable Instant expiry(ObjectNode body, @Nullable Instant present) {
    if (!body.has("expires_at")) {
      return present;
    }
    if (body.path("expires_at").isNull()) {
      return null;
    }
    Instant end = Instant.ofEpochSecond(body.path("expires_at").asLong());
    if (!end.isAfter(Instant.now())) {
      throw Fields.invalid(
          "'expires_at' is %d; it must be a time in the future, in seconds since 1970. Revoke a key to end its use now."
              .formatted(end.getEpochSecond()),
          "expires_at");
    }
    return end;
  }
}
