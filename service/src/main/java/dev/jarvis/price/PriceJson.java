package dev.jarvis.price;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.Json;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Prices as JSON, in the API and in the table. */
public final class PriceJson {
  private static final ObjectMapper EXACT =
      SharedBuffers.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  private PriceJson() {}

  /** Adds the amounts to an object; those that have their default are null. */
  public static void add(ObjectNode json, TokenPrices tokens) {
    json.put("input", tokens.input())
        .put("cached_input", tokens.cachedInput())
        .put("cache_write", tokens.cacheWrite())
        .put("audio_input", tokens.audioInput())
        .put("output", tokens.output())
        .put("reasoning", tokens.reasoning())
        .put("audio_output", tokens.audioOutput());
  }

  /** An array of objects with the field {@code above} and the amounts. */
  public static ArrayNode tiers(List<Price.Tier> tiers) {
    ArrayNode array = Json.object().putArray("tiers");
    for (Price.Tier tier : tiers) {
      add(array.addObject().put("above", tier.above()), tier.tokens());
    }
    return array;
  }

  static List<Price.Tier> tiers(String json) {
    try {
      return EXACT.readTree(json).valueStream().map(PriceJson::tier).toList();
    } catch (IOException e) {
      throw new IllegalStateException(e); // PostgreSQL writes valid JSON
    }
  }

  private static Price.Tier tier(JsonNode json) {
    return new Price.Tier(
        json.path("above").asInt(),
        new TokenPrices(
            amount(json, "input"),
            amount(json, "cached_input"),
            amount(json, "cache_write"),
            amount(json, "audio_input"),
            amount(json, "output"),
            amount(json, "reasoning"),
            amount(json, "audio_output")));
  }

  private static @Nullable BigDecimal amount(JsonNode json, String field) {
    return json.hasNonNull(field) ? json.path(field).decimalValue() : null;
  }
}
