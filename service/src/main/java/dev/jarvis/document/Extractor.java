package dev.jarvis.document;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a file's text. Files may be made to harm who reads them: all that needs a parser is read by
 * a process of its own, see {@link ExtractProcess}.
 */
final class Extractor {
  private final ExtractLimits limits;

  Extractor(ExtractLimits limits) {
    this.limits = limits;
  }

  /**
   * The text of a file.
   *
   * @param folder for what is needed on the way; the caller's to delete
   * @throws ExtractionException if the file is at fault
   * @throws IOException if we are
   */
  List<Section> extract(Path file, MediaType type, Path folder)
      throws ExtractionException, IOException, InterruptedException {
    return switch (type) {
      case TEXT, MARKDOWN -> text(file);
      case HTML, PDF, DOCX -> new ExtractProcess(limits).run(file, type, folder);
    };
  }

  private List<Section> text(Path file) throws IOException, ExtractionException {
    List<Section> sections = new ArrayList<>();
    SectionWriter writer =
        new SectionWriter(limits.maxChars()) {
          @Override
          void write(Section section) {
            sections.add(section);
          }
        };
    if (Files.size(file) > 4L * limits.maxChars()) { // no encoding has longer characters
      throw new ExtractionException(
          "too_much_text",
          "The file has more than the %d characters that are allowed."
              .formatted(limits.maxChars()));
    }
    String text = decode(Files.readAllBytes(file));
    if (text.indexOf('\0') >= 0) {
      throw new ExtractionException("wrong_type", "The file is no text: it has NUL characters.");
    }
    writer.add(0, text);
    writer.end();
    return sections;
  }

  private static String decode(byte[] bytes) {
    if (bytes.length >= 2 && bytes[0] == (byte) 0xfe && bytes[1] == (byte) 0xff) {
      return new String(bytes, 2, bytes.length - 2, StandardCharsets.UTF_16BE);
    }
    if (bytes.length >= 2 && bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xfe) {
      return new String(bytes, 2, bytes.length - 2, StandardCharsets.UTF_16LE);
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith("\ufeff") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      return new String(bytes, Charset.forName("windows-1252"));
    }
  }
}
