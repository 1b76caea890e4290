package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A model in Ollama's memory.
 *
 * @param ramBytes what of it is in the machine's own memory
 * @param vramBytes what of it is in the graphics cards'
 */
record ResidentModel(String name, long ramBytes, long vramBytes) {
  /** More than any machine has, and so little that a thousand of them still add up. */
  private static final long LIMIT_BYTES = 1L << 50;

  /** From an entry of {@code /api/ps}, whose {@code size} is the sum of both. */
  static ResidentModel of(JsonNode model) {
    long vram = bytes(model.path("size_vram"));
    return new ResidentModel(
        model.path("name").textValue(), Math.max(0, bytes(model.path("size")) - vram), vram);
  }

  /** 0 for what is no size. */
  private static long bytes(JsonNode size) {
    boolean believable =
        size.isIntegralNumber()
            && size.canConvertToLong()
            && size.longValue() >= 0
            && size.longValue() <= LIMIT_BYTES;
    return believable ? size.longValue() : 0;
  }
}
