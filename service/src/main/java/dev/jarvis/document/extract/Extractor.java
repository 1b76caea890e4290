package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Extracts the text of a file. Because a file may be malicious, a separate process reads it if that
 * needs a parser or much memory, see {@link ExtractProcess}.
 */
public final class Extractor {
  /** Text files up to this size are read in this process, which is faster. */
  private static final int SMALL_BYTES = 1 << 20;

  /** In every supported encoding. */
  private static final int MAX_BYTES_PER_CHAR = 4;

  private final ExtractLimits limits;
  private final ReaderSandbox sandbox;
  private final ExtractProcess process;

  public Extractor(ExtractLimits limits) {
    this(limits, new ReaderSandbox(limits.sandbox()));
  }

  Extractor(ExtractLimits limits, ReaderSandbox sandbox) {
    this.limits = limits;
    this.sandbox = sandbox;
    this.process = new ExtractProcess(limits, sandbox);
  }

  /** Finds out, and logs, which layers of its sandbox the process can have. */
  public void checkSandbox() throws InterruptedException {
    try {
      process.check();
    } catch (ReaderUnavailableException e) {
      // logged; so is each file that is not read
    }
  }

  /** By layer of the sandbox: 1 if it confines the process, else 0. Empty before that is known. */
  public Map<String, Long> sandboxLayers() {
    return sandbox.layers();
  }

  /**
   * Returns the text of a file.
   *
   * @param folder for temporary files; deleted by the caller
   * @throws ExtractionException if the file is at fault
   * @throws ReaderUnavailableException if the process that reads the file is at fault
   * @throws IOException if the file cannot be read
   */
  public Extraction extract(Path file, MediaType type, Path folder)
      throws ExtractionException, ReaderUnavailableException, IOException, InterruptedException {
    long bytes = Files.size(file);
    if (Reader.isSimple(type) && bytes > (long) MAX_BYTES_PER_CHAR * limits.maxChars()) {
      throw SectionWriter.tooMuch(limits.maxChars());
    }
    return Reader.isSimple(type) && bytes <= SMALL_BYTES
        ? readHere(file, type)
        : process.run(file, type, folder);
  }

  private Extraction readHere(Path file, MediaType type) throws IOException, ExtractionException {
    CollectedText text = new CollectedText(limits.maxChars());
    Reader.read(type, file, limits.maxPages(), text);
    return text.extraction();
  }
}
