package dev.jarvis.document.extract;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The class path of the process that reads a file: jars, and folders with JARVIS' classes. Other
 * folders of this process's class path stay away from it, because they may hold keys.
 */
final class ReaderClassPath {
  private static final String CLASSES = "dev/jarvis";

  private ReaderClassPath() {}

  /** As the option {@code -cp}, absolute, because the process has another working directory. */
  static String option() {
    return entries(System.getProperty("java.class.path"))
        .map(Path::toString)
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** What the process has to read, with the jars that the manifest of a jar adds. */
  static List<Path> files() {
    List<Path> files = new ArrayList<>();
    entries(System.getProperty("java.class.path"))
        .forEach(
            it -> {
              files.add(it);
              added(it).forEach(files::add);
            });
    return files;
  }

  static Stream<Path> entries(String classPath) {
    return Stream.of(classPath.split(File.pathSeparator, -1))
        .map(it -> Path.of(it).toAbsolutePath())
        .filter(ReaderClassPath::isCode);
  }

  private static boolean isCode(Path entry) {
    return Files.isRegularFile(entry) || Files.isDirectory(entry.resolve(CLASSES));
  }

  private static Stream<Path> added(Path jar) {
    if (Files.isDirectory(jar)) {
      return Stream.of();
    }
    try (JarFile open = new JarFile(jar.toFile())) {
      Manifest manifest = open.getManifest();
      String added =
          manifest == null
              ? null
              : manifest.getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
      return added == null
          ? Stream.of()
          : Stream.of(added.split(" ", -1))
              .filter(it -> !it.isEmpty())
              .map(jar::resolveSibling)
              .filter(ReaderClassPath::isCode);
    } catch (IOException e) {
      return Stream.of(); // the JVM ignores it too
    }
  }
}
