package dev.jarvis.identity.jwt;

import dev.jarvis.identity.Role;
import org.jspecify.annotations.Nullable;

/**
 * A verified token: whom it stands for.
 *
 * @param issuer the issuer's name in the configuration
 * @param teamId null if the user's team is not the issuer's business
 * @param role null if the user's role is not the issuer's business
 * @param createUser whether the user may be created
 */
public record Token(
    String issuer,
    String userId,
    @Nullable String teamId,
    @Nullable Role role,
    boolean createUser) {}
