package dev.jarvis.price;

import java.time.Instant;
import java.util.UUID;

/**
 * An imported price, which never changes.
 *
 * @param id a UUIDv7
 * @param revision tells prices of a model from the same time apart; the highest one counts
 * @param importId of the import that added it
 */
public record StoredPrice(UUID id, Price price, int revision, UUID importId, Instant importedAt) {}
