package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.io.MemoryUsageSetting;
import org.apache.pdfbox.io.RandomAccessStreamCache.StreamCacheCreateFunction;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.encryption.InvalidPasswordException;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotation;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationMarkup;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDField;
import org.apache.pdfbox.pdmodel.interactive.form.PDTerminalField;
import org.apache.tika.exception.TikaException;
import org.apache.tika.io.TikaInputStream;
import org.apache.tika.metadata.Metadata;
import org.apache.tika.parser.ParseContext;
import org.apache.tika.parser.pdf.PDFParser;
import org.apache.tika.parser.pdf.PDFParserConfig;
import org.xml.sax.SAXException;

/**
 * Extracts the text of a PDF page by page, with Tika's parser on top of PDFBox: it turns text that
 * stands sideways and drops letters that are drawn twice to look bold.
 */
final class PdfText {
  /** The maximum size of PDFBox's temporary files. */
  private static final long MAX_SCRATCH_BYTES = 512L << 20;

  private final PDDocument pdf;
  private final SectionWriter writer;

  private PdfText(PDDocument pdf, SectionWriter writer) {
    this.pdf = pdf;
    this.writer = writer;
  }

  static void read(Path file, int maxPages, SectionWriter writer)
      throws IOException, ExtractionException {
    try (PDDocument pdf =
            Loader.loadPDF(
                file.toFile(),
                "",
                null,
                null,
                MemoryUsageSetting.setupTempFileOnly(MAX_SCRATCH_BYTES).streamCache);
        TikaInputStream in = TikaInputStream.get(file)) {
      int pages = pdf.getNumberOfPages();
      if (pages > maxPages) {
        throw SectionWriter.tooManyPages(pages, maxPages);
      }
      new PdfText(pdf, writer).read(in);
    } catch (InvalidPasswordException e) {
      throw new ExtractionException(
          "encrypted", "The file is encrypted; upload it without a password.");
    }
  }

  private void read(TikaInputStream in) throws IOException, ExtractionException {
    PDFParserConfig config = new PDFParserConfig();
    config.setOcrStrategy(PDFParserConfig.OCR_STRATEGY.NO_OCR);
    config.setDetectAngles(true);
    config.setSuppressDuplicateOverlappingText(true);
    config.setExtractAnnotationText(
        false); // addresses of links and comments, which are not printed
    config.setExtractBookmarksText(false);
    config.setCatchIntermediateIOExceptions(false); // a part of the text is worse than none
    // a form's values are drawn last, wherever they stand
    config.setSortByPosition(showForm());
    ParseContext context = new ParseContext();
    context.set(PDFParserConfig.class, config);
    List<String> headings = PdfOutline.headings(pdf);
    PdfPages pages = new PdfPages(writer);
    try {
      parser().parse(in, pages, new Metadata(), context);
    } catch (IOException | SAXException | TikaException e) {
      ExtractionException ours = ExceptionUtils.throwableOfType(e, ExtractionException.class);
      if (ours != null) {
        throw ours;
      }
      throw new IOException(e);
    }
    List<String> texts = Hyphenation.joined(pages.texts());
    for (int i = 0; i < texts.size(); i++) {
      writer.add(i + 1, headings.get(i), (texts.get(i) + typed(i)).strip());
    }
  }

  /** Tika's parser, with the document as it is open already. */
  private PDFParser parser() {
    return new PDFParser() {
      private static final long serialVersionUID = 1L;

      @Override
      protected PDDocument getPDDocument(
          InputStream in,
          TikaInputStream file,
          String password,
          StreamCacheCreateFunction cache,
          Metadata metadata,
          ParseContext context) {
        return pdf;
      }
    };
  }

  /**
   * Draws the values of a form's fields on the pages, so that they are read where they stand.
   *
   * @return whether there are any
   */
  private boolean showForm() {
    PDAcroForm form = pdf.getDocumentCatalog().getAcroForm();
    if (form == null || form.xfaIsDynamic()) {
      return false;
    }
    boolean values = false;
    for (PDField field : form.getFieldTree()) {
      values |= field instanceof PDTerminalField && !field.getValueAsString().isEmpty();
    }
    if (values) {
      try {
        form.flatten();
      } catch (IOException | RuntimeException e) {
        return false; // Tika lists the values after the last page then
      }
    }
    return values;
  }

  /** Returns what was typed on top of a page. */
  private String typed(int page) throws IOException {
    StringBuilder text = new StringBuilder();
    for (PDAnnotation annotation : pdf.getPage(page).getAnnotations()) {
      if (annotation instanceof PDAnnotationMarkup
          && "FreeText".equals(annotation.getSubtype())
          && annotation.getContents() != null
          && !annotation.isHidden()) {
        text.append('\n').append(annotation.getContents());
      }
    }
    return text.toString();
  }
}
