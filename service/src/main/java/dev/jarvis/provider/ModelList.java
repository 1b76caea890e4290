package dev.jarvis.provider;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The models of a provider, as far as they are known.
 *
 * @param names valid, each once, {@value #LIMIT} at most
 * @param total the number of valid names that were given; more than {@code names} if there were too
 *     many
 * @param ignored the number of entries that name no model, or one with an invalid name
 * @param problem why the server's list cannot be used; null if it can be, or is not needed
 */
public record ModelList(
    List<String> names, Source source, int total, int ignored, @Nullable String problem) {
  /** The maximum number of models of a provider. */
  public static final int LIMIT = 1000;

  private static final int NAME_LIMIT_CHARS = 200;

  /** How the models are known. */
  public enum Source {
    /** By the server's list. */
    LISTED,
    /** By the configuration. */
    CONFIGURED,
    /** Not at all: the server lists none. */
    NONE
  }

  public ModelList {
    names = List.copyOf(names);
  }

  /** What is known of a server that has no list, or none that can be read. */
  public static ModelList none(String problem) {
    return new ModelList(List.of(), Source.NONE, 0, 0, problem);
  }

  /** The models that the configuration names. */
  public static ModelList configured(List<String> names) {
    return of(Source.CONFIGURED, names, 0, null);
  }

  /** The models that the configuration names, of a server that refuses to list its models. */
  static ModelList configured(List<String> names, String problem) {
    return of(Source.CONFIGURED, names, 0, problem);
  }

  /** The models that a server lists; invalid names are ignored. */
  public static ModelList listed(List<String> names) {
    return listed(names, 0);
  }

  /**
   * @param ignored the number of entries without a name
   */
  static ModelList listed(List<String> names, int ignored) {
    return of(Source.LISTED, names, ignored, null);
  }

  private static ModelList of(
      Source source, Collection<String> given, int ignored, @Nullable String problem) {
    Set<String> valid = new LinkedHashSet<>();
    int invalid = ignored;
    for (String name : given) {
      if (isValidName(name)) {
        valid.add(name);
      } else {
        invalid++;
      }
    }
    return new ModelList(
        valid.stream().limit(LIMIT).toList(), source, valid.size(), invalid, problem);
  }

  /**
   * Whether a model may have this name: not blank, 200 characters at most, none of them a control
   * character or half of a surrogate pair, because names are written into headers and log lines.
   */
  public static boolean isValidName(String name) {
    return !name.isBlank()
        && name.length() <= NAME_LIMIT_CHARS
        && name.codePoints()
            .noneMatch(
                it -> Character.isISOControl(it) || Character.getType(it) == Character.SURROGATE);
  }

  /** Whether there are more models than {@link #LIMIT}, of which the rest is left out. */
  public boolean truncated() {
    return total > names.size();
  }

  /** Whether the provider may have the model. */
  public boolean mayHave(String model) {
    return source == Source.NONE || truncated() || names.contains(model);
  }
}
