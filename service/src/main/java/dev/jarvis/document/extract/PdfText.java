package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.io.MemoryUsageSetting;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.encryption.InvalidPasswordException;

/** Extracts the text of a PDF, page by page, with PDFBox. */
final class PdfText {
  /** The maximum size of PDFBox's temporary files. */
  private static final long MAX_SCRATCH_BYTES = 512L << 20;

  private PdfText() {}

  static void read(Path file, int maxPages, SectionWriter writer)
      throws IOException, ExtractionException {
    try (PDDocument pdf =
        Loader.loadPDF(
            file.toFile(),
            "",
            null,
            null,
            MemoryUsageSetting.setupTempFileOnly(MAX_SCRATCH_BYTES).streamCache)) {
      int pages = pdf.getNumberOfPages();
      if (pages > maxPages) {
        throw SectionWriter.tooManyPages(pages, maxPages);
      }
      PdfOutline outline = PdfOutline.of(pdf);
      PdfNotes notes = PdfNotes.of(pdf);
      Hyphens hyphens = new Hyphens();
      for (int page = 1; page <= pages; page++) {
        String text = hyphens.join(PdfPage.text(pdf, page)) + notes.text(pdf, page);
        writer.add(page, outline.heading(page), text);
      }
    } catch (InvalidPasswordException e) {
      throw ExtractionException.encrypted();
    }
  }
}
