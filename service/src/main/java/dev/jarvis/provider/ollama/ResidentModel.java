package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A model in Ollama's memory.
 *
 * @param ramBytes its part in main memory
 * @param vramBytes its part in the memory of graphics cards
 */
record ResidentModel(String name, long ramBytes, long vramBytes) {
  /** More than any machine has, and small enough to sum a thousand of them. */
  private static final long LIMIT_BYTES = 1L << 50;

  /** From an entry of {@code /api/ps}, whose {@code size} is the sum of both. */
  static ResidentModel of(JsonNode model) {
    long vram = bytes(model.path("size_vram"));
    return new ResidentModel(
        model.path("name").textValue(), Math.max(0, bytes(model.path("size")) - vram), vram);
  }

  /** The size; 0 if it is missing or implausible. */
  private static long bytes(JsonNode size) {
    boolean plausible =
        size.isIntegralNumber()
            && size.canConvertToLong()
            && size.longValue() >= 0
            && size.longValue() <= LIMIT_BYTES;
    return plausible ? size.longValue() : 0;
  }
}
