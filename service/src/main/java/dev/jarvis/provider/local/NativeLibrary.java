package dev.jarvis.provider.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Loads llama.cpp from the binding's jar. The binding's own loader is not used: it deletes all
 * files {@code llama*} in the shared temporary folder, unpacks to a fixed name there (which crashes
 * a second process that uses the file), and prints a line to stdout, which is for log lines only.
 */
final class NativeLibrary {
  private static final String BINDING = "de.kherud.llama.LlamaModel";

  private NativeLibrary() {}

  /**
   * Loads the library, unless that was done before.
   *
   * @throws IOException if there is none for this machine, or it cannot be unpacked
   */
  static synchronized void load() throws IOException {
    if (System.getProperty("de.kherud.llama.tmpdir") != null) {
      return;
    }
    Path folder = Files.createTempDirectory("jarvis-native");
    Path library = folder.resolve(System.mapLibraryName("jllama"));
    try (InputStream in = NativeLibrary.class.getResourceAsStream(resource(library))) {
      if (in != null) {
        Files.copy(in, library);
        System.setProperty("de.kherud.llama.lib.path", folder.toString());
      }
      System.setProperty("de.kherud.llama.tmpdir", folder.toString());
      Class.forName(BINDING);
    } catch (ClassNotFoundException | LinkageError e) {
      throw new IOException("llama.cpp cannot be loaded on this machine: " + e.getMessage(), e);
    } finally {
      // deleted now, so that even a killed process leaves no file (except on Windows)
      delete(library);
      delete(folder);
    }
  }

  /** The path in the binding's jar. */
  private static String resource(Path library) {
    String system = System.getProperty("os.name", "").split(" ", 2)[0];
    String machine = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    String folder = machine.equals("amd64") ? "x86_64" : machine;
    return "/de/kherud/llama/" + system + "/" + folder + "/" + library.getFileName();
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      path.toFile().deleteOnExit();
    }
  }
}
