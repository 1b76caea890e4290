package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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

  public Extractor(ExtractLimits limits) {
    this.limits = limits;
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
        : new ExtractProcess(limits).run(file, type, folder);
  }

  private Extraction readHere(Path file, MediaType type) throws IOException, ExtractionException {
    List<Section> sections = new ArrayList<>();
    SectionWriter writer =
        new SectionWriter(limits.maxChars()) {
          @Override
          void write(Section section) {
            sections.add(section);
          }
        };
    Reader.read(type, file, limits.maxPages(), writer);
    writer.end();
    return new Extraction(sections, writer.encoding());
  }
}
