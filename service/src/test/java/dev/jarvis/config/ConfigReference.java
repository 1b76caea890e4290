package dev.jarvis.config;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.text.WordUtils;

/** The references of the configuration, written from the keys that the records declare. */
public final class ConfigReference {
  private static final int WIDTH = 128;

  /** The page gives them once. */
  private static final String DURATION_EXAMPLES = ", such as 500ms, 30s or 10m";

  private ConfigReference() {}

  /** A YAML file with every key, its default and what it means. */
  public static String yaml(String introduction, List<Key> keys) {
    StringBuilder yaml = new StringBuilder();
    comment(yaml, "", introduction);
    for (Key key : keys) {
      String indent = "  ".repeat(depth(key));
      if (indent.isEmpty() || !key.doc().isEmpty()) {
        yaml.append(indent.isEmpty() ? "\n" : "");
        comment(yaml, indent, key.doc());
      }
      ValueType value = key.value();
      yaml.append(indent).append(last(key)).append(':');
      yaml.append(value == null ? "" : " \"" + value.defaultText() + "\"").append('\n');
      if (isEntries(key, keys)) {
        yaml.append(indent).append("  _:\n");
      }
    }
    return yaml.toString();
  }

  private static void comment(StringBuilder yaml, String indent, String text) {
    if (!text.isEmpty()) {
      for (String line : text.split("\n", -1)) {
        String wrapped = WordUtils.wrap(line, WIDTH - indent.length() - 2, "\n", false);
        wrapped.lines().forEach(it -> yaml.append(indent).append("# ").append(it).append('\n'));
      }
    }
  }

  /** A Markdown page with a table for each section. */
  public static String markdown(String introduction, List<Key> keys) {
    StringBuilder page = new StringBuilder(introduction);
    for (Key section : sections(keys)) {
      page.append("\n## ")
          .append(section.name().isEmpty() ? "Top level" : "`" + shown(section) + "`");
      page.append('\n');
      if (!section.doc().isEmpty()) {
        page.append('\n').append(section.doc().replace('\n', ' ')).append('\n');
      }
      page.append("\n| key | variable | default | allowed | meaning |\n|---|---|---|---|---|\n");
      for (Key key : keys) {
        if (key.value() != null && parent(key).equals(section.name())) {
          page.append(row(key, key.value()));
        }
      }
    }
    return page.toString();
  }

  private static String row(Key key, ValueType value) {
    String shown = value.defaultText().isEmpty() ? "" : "`" + value.defaultText() + "`";
    return "| `%s` | `%s` | %s | %s | %s |%n"
        .formatted(
            last(key),
            Key.variable(shown(key)),
            shown,
            value.allowed().replace(DURATION_EXAMPLES, ""),
            key.doc().replace('\n', ' '))
        .replace(System.lineSeparator(), "\n");
  }

  /** The top level, and what contains values. */
  private static List<Key> sections(List<Key> keys) {
    List<Key> sections = new ArrayList<>();
    sections.add(new Key("", "", null));
    for (Key key : keys) {
      if (key.value() == null) {
        boolean entries = isEntries(key, keys);
        sections.add(new Key(entries ? key.name() + "._" : key.name(), key.doc(), null));
      }
    }
    return sections;
  }

  private static boolean isEntries(Key key, List<Key> keys) {
    return keys.stream().anyMatch(it -> it.name().startsWith(key.name() + "._."));
  }

  private static String shown(Key key) {
    return key.name().replace("providers._", "providers.NAME").replace("._", ".N");
  }

  private static int depth(Key key) {
    return key.name().split("\\.", -1).length - 1;
  }

  private static String parent(Key key) {
    int dot = key.name().lastIndexOf('.');
    return dot < 0 ? "" : key.name().substring(0, dot);
  }

  private static String last(Key key) {
    return key.name().substring(key.name().lastIndexOf('.') + 1);
  }
}
