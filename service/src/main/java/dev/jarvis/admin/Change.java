package dev.jarvis.admin;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * What an administrator changed.
 *
 * @param userId the user that it concerns; null for a team
 * @param before the object as the API shows it; null if there was none or it is the same
 * @param after likewise; null if there is none or it is the same
 * @param result for the response
 */
record Change<T>(
    Action action,
    String targetId,
    @Nullable String userId,
    @Nullable JsonNode before,
    @Nullable JsonNode after,
    T result) {}
