package dev.jarvis.document.extract;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.jsoup.Jsoup;
import org.jsoup.parser.Parser;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a Word document in other formats ({@code w:altChunk}), which Word shows in their
 * place. Programs write them; Word makes them its own text when it saves the document.
 */
final class WordChunks {
  /** A document may include itself. */
  private static final int MAX_DEPTH = 5;

  private static final String WORD =
      "application/vnd.openxmlformats-officedocument.wordprocessingml.";
  private static final Pattern CHARSET = Pattern.compile("(?i)charset\\s*=\\s*\"?([\\w.:+-]+)");

  private final TextLayout layout;
  private final int depth;
  private final Set<String> marginals = new LinkedHashSet<>();

  WordChunks(TextLayout layout) {
    this(layout, 0);
  }

  private WordChunks(TextLayout layout, int depth) {
    this.layout = layout;
    this.depth = depth;
  }

  /** Returns the headers and footers of the parts. */
  Set<String> marginals() {
    return marginals;
  }

  /**
   * Adds the text of a part.
   *
   * @throws ExtractionException if it cannot be read
   */
  void read(PackagePart document, String id) throws IOException, ExtractionException {
    PackagePart part = OfficePackage.byId(document, id);
    if (part == null) {
      throw refused("The document includes another file, but does not contain it.");
    }
    String contentType = part.getContentType();
    String type = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    layout.paragraph();
    try (InputStream in = new BufferedInputStream(part.getInputStream())) {
      switch (type) {
        case "text/html" -> page(in, charset(contentType), Parser.htmlParser());
        case "application/xhtml+xml" -> page(in, charset(contentType), Parser.xmlParser());
        case "text/plain" ->
            layout.verbatim(
                TextDecoder.decode(in.readAllBytes(), charset(contentType)).text().strip());
        case "message/rfc822" -> {
          if (!EmlText.readPage(in, layout)) {
            throw refused("The document includes a web archive without a page.");
          }
        }
        case "application/rtf", "text/rtf" -> marginals.addAll(RtfText.read(in, layout));
        case WORD + "document",
            WORD + "document.main+xml",
            WORD + "template",
            WORD + "template.main+xml" ->
            document(in);
        default ->
            throw refused(
                "The document includes text of the type %s, which is not supported."
                    .formatted(type));
      }
    }
    layout.paragraph();
  }

  private void page(InputStream in, @Nullable Charset charset, Parser parser)
      throws IOException, ExtractionException {
    String text = TextDecoder.html(in.readAllBytes(), charset).text();
    new HtmlText(layout).read(Jsoup.parse(text, "", parser), false);
  }

  private void document(InputStream in) throws IOException, ExtractionException {
    if (depth == MAX_DEPTH) {
      throw refused("The document includes others, nested deeper than %d.".formatted(MAX_DEPTH));
    }
    try (OfficePackage office = DocxText.open(in)) {
      WordChunks chunks = new WordChunks(layout, depth + 1);
      marginals.addAll(new DocxText(layout, office.main(), chunks).read());
    }
  }

  private static @Nullable Charset charset(String contentType) {
    Matcher charset = CHARSET.matcher(contentType);
    return charset.find() ? TextDecoder.charset(charset.group(1)) : null;
  }

  private static ExtractionException refused(String reason) {
    return new ExtractionException(
        "wrong_type", reason + " Open it in Word, save it and upload it again.");
  }
}
