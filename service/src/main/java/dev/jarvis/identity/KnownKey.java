package dev.jarvis.identity;

import dev.jarvis.config.AddressBlock;
import dev.jarvis.gateway.Grants;
import dev.jarvis.gateway.RateLimits;
import java.net.InetAddress;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A key of the admin API as the database has it.
 *
 * @param sha256 of the whole key
 * @param addresses from which the key may be used; empty for all
 * @param expiresAt null if it does not expire
 * @param replaced whether a rotation made another key
 */
record KnownKey(
    UUID id,
    Sha256 sha256,
    KnownUser user,
    Grants grants,
    List<AddressBlock> addresses,
    RateLimits limits,
    @Nullable Instant expiresAt,
    boolean revoked,
    boolean replaced) {

  /** The hash of a key; comparing takes constant time. */
  static final class Sha256 {
    private final byte[] bytes;

    Sha256(byte[] bytes) {
      this.bytes = bytes.clone();
    }

    boolean matches(byte[] other) {
      return MessageDigest.isEqual(bytes, other);
    }
  }

  KnownKey {
    addresses = List.copyOf(addresses);
  }

  /**
   * The user of the key as a client.
   *
   * @param address of the client; null if it is not known
   * @throws AuthenticationFailure if the key may not be used now, or not from there
   */
  Principal principal(@Nullable InetAddress address, Instant now) {
    if (revoked) {
      throw AuthenticationFailure.revoked();
    }
    if (expiresAt != null && !now.isBefore(expiresAt)) {
      throw AuthenticationFailure.expired(replaced);
    }
    Principal client = user.principal(id.toString(), grants, limits);
    if (!addresses.isEmpty()
        && (address == null || addresses.stream().noneMatch(it -> it.contains(address)))) {
      throw AuthenticationFailure.address(address);
    }
    return client;
  }
}
