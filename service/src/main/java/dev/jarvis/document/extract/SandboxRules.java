package dev.jarvis.document.extract;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** What the process that reads a file may use of the file system, beside the file's folder. */
final class SandboxRules {
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
    // distributions keep the JDK's configuration elsewhere, behind links
    for (String file : List.of("conf/security/java.security", "lib/security/cacerts")) {
      real(java.resolve(file)).ifPresent(it -> rules.add("read:" + it.getParent()));
    }
    classPath().forEach(it -> rules.add("read:" + it));
    rules.add("write:/dev/null");
    rules.add("write:" + folder);
    return List.copyOf(rules);
  }

  private static Optional<Path> real(Path file) {
    try {
      return Optional.of(file.toRealPath());
    } catch (IOException e) {
      return Optional.empty();
    }
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

  /** The class path of this process, with the jars that the manifest of a jar adds. */
  private static List<Path> classPath() {
    List<Path> files = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path file = Path.of(entry).toAbsolutePath();
      files.add(file);
      if (Files.isRegularFile(file)) {
        files.addAll(added(file));
      }
    }
    return files;
  }

  private static List<Path> added(Path jar) {
    try (JarFile open = new JarFile(jar.toFile())) {
      Manifest manifest = open.getManifest();
      String added =
          manifest == null
              ? null
              : manifest.getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
      return added == null
          ? List.of()
          : List.of(added.split(" ", -1)).stream()
              .filter(it -> !it.isEmpty())
              .map(it -> jar.resolveSibling(it))
              .toList();
    } catch (IOException e) {
      return List.of(); // the JVM ignores it too
    }
  }
}
