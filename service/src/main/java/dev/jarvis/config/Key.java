package dev.jarvis.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A key that the records declare.
 *
 * @param name with {@code _} for the name or index of an entry: {@code providers._.url}
 * @param value what its text must be; null for a section, which only contains further keys
 */
public record Key(String name, String doc, @Nullable ValueType value) {
  /** Stands for the name or index of an entry. */
  static final String ANY = "_";

  static final String PREFIX = "JARVIS_";

  /** The environment variable of a key: {@code JARVIS_CHAT_MAX_TOKENS} of chat.max-tokens. */
  public static String variable(String name) {
    return PREFIX + name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]+", "_");
  }

  /** Whether the key belongs to entries that get their names in the file. */
  public boolean isTemplate() {
    return parts(name).contains(ANY);
  }

  boolean matches(String actual) {
    return name.equals(actual) || (isTemplate() && filled(actual).equals(actual));
  }

  /** The key of the same entry as another one, which may be misspelt. */
  String filled(String other) {
    List<String> ours = new ArrayList<>(parts(name));
    List<String> theirs = parts(other);
    for (int i = 0; i < Math.min(ours.size(), theirs.size()); i++) {
      if (ours.get(i).equals(ANY)) {
        ours.set(i, theirs.get(i));
      }
    }
    return String.join(".", ours);
  }

  private static List<String> parts(String name) {
    return List.of(name.split("\\.", -1));
  }
}
