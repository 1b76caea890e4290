package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;

/** Reads each type of file with its reader. */
final class Reader {
  private Reader() {}

  static void read(MediaType type, Path file, int maxPages, SectionWriter writer)
      throws IOException, ExtractionException {
    switch (type) {
      case TEXT -> PlainText.read(file, writer);
      case CODE, JSON, XML -> PlainText.readLines(file, writer);
      case MARKDOWN -> MarkdownText.read(file, writer);
      case CSV -> CsvText.read(file, false, writer);
      case TSV -> CsvText.read(file, true, writer);
      case SRT, VTT -> SubtitlesText.read(file, writer);
      case IPYNB -> NotebookText.read(file, writer);
      case EML -> MailText.read(file, writer);
      case HTML -> HtmlText.read(file, writer);
      case PDF -> PdfText.read(file, maxPages, writer);
      case DOCX -> DocxText.read(file, writer);
    }
  }

  /** Whether the reader has no parser that a file could make slow or greedy. */
  static boolean isSimple(MediaType type) {
    return switch (type) {
      case TEXT, CODE, JSON, XML, MARKDOWN, SRT, VTT -> true;
      default -> false;
    };
  }
}
