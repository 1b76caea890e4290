package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a file's text. Files may be made to harm who reads them: all that needs a parser, or much
 * memory, is read by a process of its own, see {@link ExtractProcess}.
 */
public final class Extractor {
  /** Text up to here is read in this process: to start one takes longer. */
  private static final int SMALL_BYTES = 1 << 20;

  /** No encoding has longer characters. */
  private static final int MAX_BYTES_OF_A_CHAR = 4;

  private final ExtractLimits limits;

  public Extractor(ExtractLimits limits) {
    this.limits = limits;
  }

  /**
   * The text of a file.
   *
   * @param folder for what is needed on the way; the caller's to delete
   * @throws ExtractionException if the file is at fault
   * @throws ReaderUnavailableException if the process that reads it is
   * @throws IOException if the file is not there
   */
  public List<Section> extract(Path file, MediaType type, Path folder)
      throws ExtractionException, ReaderUnavailableException, IOException, InterruptedException {
    long bytes = Files.size(file);
    boolean text = type == MediaType.TEXT || type == MediaType.MARKDOWN;
    if (text && bytes > (long) MAX_BYTES_OF_A_CHAR * limits.maxChars()) {
      throw SectionWriter.tooMuch(limits.maxChars());
    }
    return text && bytes <= SMALL_BYTES
        ? readHere(file)
        : new ExtractProcess(limits).run(file, type, folder);
  }

  private List<Section> readHere(Path file) throws IOException, ExtractionException {
    List<Section> sections = new ArrayList<>();
    SectionWriter writer =
        new SectionWriter(limits.maxChars()) {
          @Override
          void write(Section section) {
            sections.add(section);
          }
        };
    PlainText.read(file, writer);
    writer.end();
    return sections;
  }
}
