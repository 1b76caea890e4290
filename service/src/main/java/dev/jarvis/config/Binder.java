package dev.jarvis.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Binds the configuration to records. A component is a value or a section: a record, or a list or
 * map of records; its name in kebab case is its key. An invalid value is reported, and its default
 * is used to check the rest, so that one run reports every problem.
 */
public final class Binder {
  private final ValueType.Choices choices;

  /**
   * A binder for the types that {@link ValueType} reads.
   *
   * @param choices the values, by name, of types that are open sets: what an enum's constants are
   *     to an enum
   */
  public Binder(Map<Class<?>, Map<String, ?>> choices) {
    this.choices = new ValueType.Choices(choices);
  }

  /**
   * Reads the file that JARVIS_CONFIG names, and over it the environment.
   *
   * @throws ConfigException listing everything that is wrong
   */
  public <R extends Record> R load(Class<R> type, Map<String, String> environment)
      throws ConfigException {
    Settings settings = new Settings(keys(type));
    String file = environment.get(Key.PREFIX + "CONFIG");
    if (file != null) {
      settings.addFile(Path.of(file));
    }
    settings.addEnvironment(environment);
    R bound = type.cast(record(type, "", settings));
    settings.check();
    return bound;
  }

  /**
   * Binds values that stand in the code.
   *
   * @param name what {@link EntryName} gives
   * @param values by key, relative to the record
   * @throws ConfigException listing everything that is wrong
   */
  public <R extends Record> R bind(Class<R> type, String name, Map<String, String> values)
      throws ConfigException {
    List<Key> keys = new ArrayList<>();
    addKeys(type, name, keys);
    Settings settings = new Settings(keys);
    Map<String, String> absolute = new LinkedHashMap<>();
    values.forEach((key, value) -> absolute.put(child(name, key), value));
    settings.add(absolute, type.getSimpleName());
    R bound = type.cast(record(type, name, settings));
    settings.check();
    return bound;
  }

  /** Every key of a record in the order of declaration, each section before what it contains. */
  public List<Key> keys(Class<? extends Record> type) {
    List<Key> keys = new ArrayList<>();
    addKeys(type, "", keys);
    return keys;
  }

  private void addKeys(Class<?> type, String prefix, List<Key> keys) {
    for (RecordComponent component : type.getRecordComponents()) {
      if (component.isAnnotationPresent(Inline.class)) {
        addKeys(component.getType(), prefix, keys);
      } else if (!component.isAnnotationPresent(EntryName.class)) {
        addKeys(component, key(prefix, component), keys);
      }
    }
  }

  private void addKeys(RecordComponent component, String key, List<Key> keys) {
    Type declared = component.getGenericType();
    Doc doc = component.getAnnotation(Doc.class);
    boolean isValue = ValueType.isValue(declared, choices);
    keys.add(new Key(key, doc == null ? "" : doc.value(), isValue ? valueType(component) : null));
    if (component.getType().isRecord() && !isValue) {
      addKeys(component.getType(), key, keys);
    } else if (!isValue) {
      addKeys(ValueType.item(declared), child(key, Key.ANY), keys);
    }
  }

  private Object record(Class<?> type, String prefix, Settings settings) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] arguments = new Object[components.length];
    boolean complete = true;
    for (int i = 0; i < components.length; i++) {
      arguments[i] = component(components[i], prefix, settings);
      complete &= arguments[i] != null || isNullable(components[i]);
    }
    Object bound = construct(type, components, arguments);
    if (complete && bound instanceof Checked checked) {
      checked.check((key, complaint) -> settings.problem(child(prefix, key), complaint));
    }
    return bound;
  }

  private @Nullable Object component(RecordComponent component, String prefix, Settings settings) {
    Type declared = component.getGenericType();
    Class<?> raw = component.getType();
    String key = key(prefix, component);
    if (component.isAnnotationPresent(EntryName.class)) {
      return prefix.substring(prefix.lastIndexOf('.') + 1);
    }
    if (component.isAnnotationPresent(Inline.class)) {
      return record(raw, prefix, settings);
    }
    if (ValueType.isValue(declared, choices)) {
      return value(component, key, settings);
    }
    if (raw.isRecord()) {
      return record(raw, key, settings);
    }
    Map<String, Object> entries = new LinkedHashMap<>();
    for (String name : settings.entries(key)) {
      entries.put(name, record(ValueType.item(declared), child(key, name), settings));
    }
    return raw == Map.class ? entries : List.copyOf(entries.values());
  }

  /**
   * Returns null if nothing is set, or if the text is invalid, which is reported, and there is no
   * default to check the rest with.
   */
  private @Nullable Object value(RecordComponent component, String key, Settings settings) {
    ValueType type = valueType(component);
    String text = settings.text(key);
    if (text == null) {
      text = type.defaultText();
    }
    if (text.isEmpty() && isNullable(component)) {
      return null;
    }
    try {
      return type.parse(text);
    } catch (IllegalArgumentException e) {
      settings.problem(key, type.complaint(text));
      return type.standIn(text);
    }
  }

  private ValueType valueType(RecordComponent component) {
    return ValueType.of(
        component.getGenericType(),
        component.getAnnotation(Range.class),
        component.getAnnotation(Default.class),
        choices);
  }

  private static boolean isNullable(RecordComponent component) {
    return component.getAnnotatedType().isAnnotationPresent(Nullable.class);
  }

  private static String key(String prefix, RecordComponent component) {
    String name = component.getName().replaceAll("([a-z0-9])([A-Z])", "$1-$2");
    return child(prefix, name.toLowerCase(Locale.ROOT));
  }

  private static String child(String prefix, String name) {
    return prefix.isEmpty() ? name : prefix + "." + name;
  }

  private static Object construct(Class<?> type, RecordComponent[] components, Object[] arguments) {
    try {
      Constructor<?> constructor =
          type.getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new));
      constructor.setAccessible(true);
      return constructor.newInstance(arguments);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make a " + type.getSimpleName(), e);
    }
  }
}
