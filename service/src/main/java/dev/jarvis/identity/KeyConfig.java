package dev.jarvis.identity;

import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import dev.jarvis.config.Secret;
import dev.jarvis.identity.ApiKeys.HashedKey;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The API keys; {@code openssl rand -hex 24} generates one. */
public record KeyConfig(
    @Doc(
            "API key of the user \"admin\". With no key at all, one is generated at the first start and printed once.")
        @Range(min = 32)
        @Nullable Secret apiKey,
    @Doc(
            "Further keys, each as a user and the key's SHA-256 in hex, comma-separated: alice:9f86d0…,bob:60303a….")
        List<HashedKey> apiKeys) {

  /** Every key, the admin's first. */
  public List<HashedKey> hashed() {
    List<HashedKey> keys = new ArrayList<>(apiKeys);
    if (apiKey != null) {
      keys.addFirst(ApiKeys.admin(apiKey.value()));
    }
    return keys;
  }
}
