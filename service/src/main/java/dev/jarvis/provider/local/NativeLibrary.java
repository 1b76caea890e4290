package dev.jarvis.provider.local;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads native code from its binding's jar. The bindings' own loaders leave files behind if the
 * process is killed. Llama.cpp's also deletes all files {@code llama*} in the shared temporary
 * folder, unpacks to a fixed name there (which crashes a second process that uses the file), and
 * prints a line to stdout, which is for log lines only.
 */
final class NativeLibrary {
  private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);
  private static final String SYSTEM = System.getProperty("os.name", "").split(" ", 2)[0];
  private static final String MACHINE = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
  private static final boolean X64 = MACHINE.equals("amd64") || MACHINE.equals("x86_64");

  static final NativeLibrary LLAMA =
      new NativeLibrary(
          "llama.cpp",
          "/de/kherud/llama/" + SYSTEM + "/" + (X64 ? "x86_64" : MACHINE),
          List.of("jllama"),
          List.of("de.kherud.llama.lib.path", "de.kherud.llama.tmpdir"),
          "de.kherud.llama.LlamaModel");

  static final NativeLibrary ONNX_RUNTIME =
      new NativeLibrary(
          "ONNX Runtime",
          "/ai/onnxruntime/native/"
              + Map.of("Windows", "win", "Mac", "osx").getOrDefault(SYSTEM, "linux")
              + "-"
              + (X64 ? "x64" : MACHINE),
          List.of("onnxruntime", "onnxruntime4j_jni"),
          List.of("onnxruntime.native.path"),
          "ai.onnxruntime.OrtEnvironment");

  private final String title;
  private final String folder;
  private final List<String> libraries;
  private final List<String> pathProperties;
  private final String binding;
  private boolean loaded; // guarded by this

  /**
   * @param folder of the libraries in the binding's jar
   * @param pathProperties the system properties that tell the binding where they are
   * @param binding the class whose initialisation loads them
   */
  private NativeLibrary(
      String title,
      String folder,
      List<String> libraries,
      List<String> pathProperties,
      String binding) {
    this.title = title;
    this.folder = folder;
    this.libraries = libraries;
    this.pathProperties = pathProperties;
    this.binding = binding;
  }

  /**
   * Loads the library, unless that was done before.
   *
   * @throws IOException if there is none for this machine, or it cannot be unpacked
   */
  synchronized void load() throws IOException {
    if (loaded) {
      return;
    }
    Path target = Files.createTempDirectory("jarvis-native");
    List<Path> files = new ArrayList<>();
    try {
      for (String library : libraries) {
        Path file = target.resolve(System.mapLibraryName(library));
        files.add(file);
        unpack(file);
      }
      pathProperties.forEach(it -> System.setProperty(it, target.toString()));
      Class.forName(binding);
      loaded = true;
      if (this == ONNX_RUNTIME) {
        deleteEmptyFolder();
      }
    } catch (ClassNotFoundException | LinkageError e) {
      throw new IOException(title + " cannot be loaded on this machine: " + e.getMessage(), e);
    } finally {
      // deleted now, so that even a killed process leaves no file (except on Windows)
      files.forEach(NativeLibrary::delete);
      delete(target);
    }
  }

  private void unpack(Path file) throws IOException {
    String resource = folder + "/" + file.getFileName();
    try (InputStream in = NativeLibrary.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException(
            "%s cannot be loaded on this machine: its jar has no %s".formatted(title, resource));
      }
      Files.copy(in, file);
    }
  }

  /** ONNX Runtime's binding makes a folder in any case, and keeps it until the JVM ends orderly. */
  private static void deleteEmptyFolder() {
    try {
      Field folder = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("tempDirectory");
      folder.setAccessible(true);
      if (folder.get(null) instanceof Path path) {
        delete(path);
      }
    } catch (ReflectiveOperationException e) {
      LOG.atDebug().setCause(e).log("the binding of ONNX Runtime has no such folder");
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      path.toFile().deleteOnExit();
    }
  }
}
