package dev.jarvis.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the text of a value must be, and how it is read. */
public final class ValueType {
  private static final Set<Class<?>> SIMPLE =
      Set.of(
          int.class,
          long.class,
          boolean.class,
          BigDecimal.class,
          Duration.class,
          String.class,
          Path.class,
          LocalDate.class);

  private static final Duration SHORTEST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofDays(30);
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");
  private static final Pattern ZERO = Pattern.compile("0(ms|s|m|h)?|PT0S");
  private static final BigDecimal AMOUNT_LIMIT = BigDecimal.valueOf(1_000_000_000);

  private final Class<?> type; // of the items where it is a list or set
  private final @Nullable Class<?> collection;
  private final @Nullable Range range;
  private final Map<String, ?> choices;
  private final String defaultText;

  private ValueType(
      Type declared, @Nullable Range range, @Nullable Default byDefault, Choices choices) {
    this.collection = isCollection(declared) ? raw(declared) : null;
    this.type = collection == null ? raw(declared) : item(declared);
    this.range = range;
    this.choices = choices(type, choices);
    this.defaultText = byDefault == null ? "" : byDefault.value();
  }

  /** Values of types that have a name each, by type. */
  record Choices(Map<Class<?>, Map<String, ?>> byType) {}

  /** The type of a component that is a value and not a section. */
  static ValueType of(
      Type declared, @Nullable Range range, @Nullable Default byDefault, Choices choices) {
    return new ValueType(declared, range, byDefault, choices);
  }

  /**
   * Whether a component of this type is a value; the others are records, and lists or maps of them.
   */
  static boolean isValue(Type declared, Choices choices) {
    Class<?> type = isCollection(declared) ? item(declared) : raw(declared);
    return SIMPLE.contains(type)
        || type.isEnum()
        || type.isAnnotationPresent(Allowed.class)
        || choices.byType().containsKey(type);
  }

  private static boolean isCollection(Type type) {
    return Collection.class.isAssignableFrom(raw(type));
  }

  static Class<?> raw(Type type) {
    return (Class<?>) (type instanceof ParameterizedType it ? it.getRawType() : type);
  }

  /** The type of the items of a list or set, and of the values of a map. */
  static Class<?> item(Type type) {
    Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
    return raw(arguments[arguments.length - 1]);
  }

  private static Map<String, ?> choices(Class<?> type, Choices choices) {
    if (!type.isEnum()) {
      return choices.byType().getOrDefault(type, Map.of());
    }
    Map<String, Object> constants = new LinkedHashMap<>();
    for (Object each : type.getEnumConstants()) {
      constants.put(kebabCase(((Enum<?>) each).name()), each);
    }
    return constants;
  }

  private static String kebabCase(String constant) {
    return constant.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The default's text, empty if there is none. */
  public String defaultText() {
    return defaultText;
  }

  /** Whether error messages must not repeat the text. */
  public boolean isSensitive() {
    Allowed allowed = type.getAnnotation(Allowed.class);
    return allowed != null && allowed.sensitive();
  }

  /** What is valid, as it follows "must be". */
  public String allowed() {
    String one = allowedItem();
    if (collection == null) {
      return one;
    }
    return "a comma-separated list" + (type == String.class ? "" : ", each item " + one);
  }

  private String allowedItem() {
    if (!choices.isEmpty()) {
      return alternatives(List.copyOf(choices.keySet()));
    }
    if (range != null && (type == String.class || type == Secret.class)) {
      return span() + " characters long";
    }
    if (type == int.class || type == long.class) {
      return "a whole number " + (max() == Long.MAX_VALUE ? "of " : "from ") + span();
    }
    if (type == Duration.class) {
      return (zeroAllowed() ? "0 or " : "")
          + "a duration between 1 ms and 30 days, such as 500ms, 30s or 10m";
    }
    if (type == BigDecimal.class && range != null) {
      return "a number from " + span();
    }
    if (type == BigDecimal.class) {
      return "an amount of at least 0 and below " + AMOUNT_LIMIT + ", such as 0.15";
    }
    if (type == LocalDate.class) {
      return "a date in quotes, such as \"2026-11-24\"";
    }
    if (type == boolean.class) {
      return "true or false";
    }
    if (type == Path.class) {
      return "a path";
    }
    Allowed allowed = type.getAnnotation(Allowed.class);
    return allowed == null ? "text" : allowed.value();
  }

  /** What is wrong with a text that {@link #parse} refused. */
  String complaint(String text) {
    String invalid = "";
    if (collection != null && !isSensitive()) {
      invalid =
          Arrays.stream(text.split(",", -1))
              .map(String::strip)
              .filter(it -> problem(it) != null)
              .findFirst()
              .orElse("");
      String problem = problem(invalid);
      invalid =
          "; the item \"%s\" is invalid".formatted(invalid)
              + (problem == null || problem.isEmpty() ? "" : ": " + problem);
    }
    return "must be " + allowed() + invalid + ".";
  }

  /** What a type's own {@code parse} says is wrong, empty if another reader refuses it. */
  private @Nullable String problem(String item) {
    try {
      parseItem(item);
      return null;
    } catch (IllegalArgumentException | DateTimeException e) {
      Throwable cause = e.getCause();
      return cause instanceof IllegalArgumentException ? String.valueOf(cause.getMessage()) : "";
    }
  }

  /**
   * Returns the value that replaces a text that {@link #parse} refused in the checks of the rest:
   * the default, or else the text itself; null if neither fits the type.
   */
  @Nullable Object standIn(String text) {
    try {
      return parse(defaultText);
    } catch (IllegalArgumentException e) {
      return collection == null && type == String.class ? text : null;
    }
  }

  private static String alternatives(List<String> names) {
    int last = names.size() - 1;
    return last == 0
        ? names.getFirst()
        : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
  }

  private long min() {
    return range == null ? 0 : range.min();
  }

  private long max() {
    long max = range == null ? Long.MAX_VALUE : range.max();
    return type == int.class ? Math.min(max, Integer.MAX_VALUE) : max;
  }

  private String span() {
    return max() == Long.MAX_VALUE ? "at least " + min() : min() + " to " + max();
  }

  private boolean zeroAllowed() {
    return range != null && range.min() == 0;
  }

  /**
   * Reads a value.
   *
   * @throws IllegalArgumentException if it is not allowed
   */
  Object parse(String text) {
    try {
      if (collection == null) {
        return parseItem(text);
      }
      List<Object> items =
          text.isEmpty()
              ? List.of()
              : Arrays.stream(text.split(",", -1)).map(it -> parseItem(it.strip())).toList();
      return collection == Set.class ? new LinkedHashSet<>(items) : items;
    } catch (DateTimeException | ArithmeticException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private Object parseItem(String text) {
    if (!choices.isEmpty()) {
      return choice(text);
    }
    if (type == int.class || type == long.class) {
      long value = Long.parseLong(text);
      check(value >= min() && value <= max());
      if (type == int.class) {
        return (int) value;
      }
      return value;
    }
    if (type == BigDecimal.class) {
      BigDecimal amount = new BigDecimal(text);
      check(amount.signum() >= 0 && amount.compareTo(AMOUNT_LIMIT) < 0);
      check(
          range == null
              || (amount.compareTo(BigDecimal.valueOf(min())) >= 0
                  && amount.compareTo(BigDecimal.valueOf(max())) <= 0));
      return amount;
    }
    if (type == Duration.class) {
      return duration(text);
    }
    if (type == boolean.class) {
      check(text.equals("true") || text.equals("false"));
      return text.equals("true");
    }
    if (type == Path.class) {
      return path(text);
    }
    if (type == LocalDate.class) {
      return LocalDate.parse(text);
    }
    check(range == null || (text.length() >= min() && text.length() <= max()));
    return type == String.class ? text : parsed(text);
  }

  private Object choice(String text) {
    Object choice = choices.get(text);
    if (choice == null) {
      throw new IllegalArgumentException("not allowed");
    }
    return choice;
  }

  private Duration duration(String text) {
    if (zeroAllowed() && ZERO.matcher(text).matches()) {
      return Duration.ZERO;
    }
    Matcher matcher = DURATION.matcher(text);
    Duration duration;
    if (matcher.matches()) {
      long amount = Long.parseLong(matcher.group(1));
      duration =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            default -> Duration.ofHours(amount);
          };
    } else {
      duration = Duration.parse(text);
    }
    check(duration.compareTo(SHORTEST) >= 0 && duration.compareTo(LONGEST) <= 0);
    return duration;
  }

  /** {@code ~} at the beginning is the user's home. */
  private static Path path(String text) {
    return Path.of(
        text.replaceFirst("^~(?=/|$)", Matcher.quoteReplacement(System.getProperty("user.home"))));
  }

  private Object parsed(String text) {
    try {
      Method parse = type.getDeclaredMethod("parse", String.class);
      parse.setAccessible(true);
      return parse.invoke(null, text);
    } catch (InvocationTargetException e) {
      throw new IllegalArgumentException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " has no static parse(String)", e);
    }
  }

  private static void check(boolean allowed) {
    if (!allowed) {
      throw new IllegalArgumentException("not allowed");
    }
  }
}
