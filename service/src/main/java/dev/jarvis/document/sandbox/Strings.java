package dev.jarvis.document.sandbox;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Strings as the kernel takes them: bytes in no particular encoding. In Java each character is one
 * byte of them (ISO 8859-1).
 */
final class Strings {
  private Strings() {}

  static MemorySegment terminated(Arena arena, String text) {
    return arena.allocateFrom(text, StandardCharsets.ISO_8859_1);
  }

  /** An array of pointers that ends with null. */
  static MemorySegment array(Arena arena, List<String> texts) {
    MemorySegment array = arena.allocate(ValueLayout.ADDRESS, texts.size() + 1L);
    for (int i = 0; i < texts.size(); i++) {
      array.setAtIndex(ValueLayout.ADDRESS, i, terminated(arena, texts.get(i)));
    }
    return array;
  }
}
