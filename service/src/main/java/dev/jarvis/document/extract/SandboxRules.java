package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the process that reads a file may use of the file system, beside the file's folder. */
final class SandboxRules {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxRules.class);
  private static final List<String> LIBRARIES = List.of("/lib", "/lib64", "/usr/lib", "/usr/lib64");

  /** Of the JVM, the C library, time zones and fonts; those that are absent are ignored. */
  private static final List<String> READABLE =
      List.of(
          "/dev/random",
          "/dev/urandom",
          "/dev/zero",
          "/etc/crypto-policies",
          "/etc/fonts",
          "/etc/ld.so.cache",
          "/etc/localtime",
          "/proc/cpuinfo",
          "/proc/meminfo",
          "/proc/self",
          "/sys/devices/system/cpu",
          "/sys/fs/cgroup",
          "/sys/kernel/mm/transparent_hugepage",
          "/usr/local/share/fonts",
          "/usr/share/fonts",
          "/usr/share/zoneinfo",
          "/var/cache/fontconfig");

  private SandboxRules() {}

  /** The rules as {@link dev.jarvis.document.sandbox.SandboxMain} takes them. */
  static List<String> of(Path folder) {
    Set<String> rules = new LinkedHashSet<>();
    Path java = Path.of(System.getProperty("java.home"));
    rules.add("run:" + java);
    LIBRARIES.forEach(it -> rules.add("run:" + it));
    loadedLibraries().forEach(it -> rules.add("run:" + it));
    READABLE.forEach(it -> rules.add("read:" + it));
    linked(java).forEach(it -> rules.add("read:" + it));
    ReaderClassPath.files().forEach(it -> rules.add("read:" + it));
    rules.add("write:/dev/null");
    rules.add("write:" + folder);
    return List.copyOf(rules);
  }

  /** What links of the JDK lead to: distributions keep its configuration elsewhere. */
  static List<Path> linked(Path java) {
    List<Path> targets = new ArrayList<>();
    try (Stream<Path> files = Files.walk(java.toRealPath())) {
      for (Path link : files.filter(Files::isSymbolicLink).toList()) {
        if (Files.exists(link)) {
          targets.add(link.toRealPath());
        }
      }
    } catch (IOException | UncheckedIOException e) {
      LOG.atWarn().setCause(e).log("the links of the JDK cannot be read");
    }
    return targets;
  }

  /** Libraries that this JVM uses and that are not where they usually are, as on NixOS. */
  private static Set<String> loadedLibraries() {
    Set<String> loaded = new LinkedHashSet<>();
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        int path = line.indexOf('/');
        String file = path < 0 ? "" : line.substring(path);
        if (file.matches(".*\\.so(\\.[0-9.]+)?")
            && LIBRARIES.stream().noneMatch(it -> file.startsWith(it + "/"))) {
          loaded.add(file);
        }
      }
    } catch (IOException e) {
      // the usual folders suffice on most systems
    }
    return loaded;
  }
}
