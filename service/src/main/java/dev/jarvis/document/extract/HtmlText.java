package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;

/** Extracts the text of a web page, with jsoup. */
final class HtmlText {
  private HtmlText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    Decoded decoded = TextDecoder.html(Files.readAllBytes(file), null);
    writer.encoding(decoded.encoding());
    add(decoded.text(), writer);
  }

  /** Adds the text of a page. */
  static void add(String html, SectionWriter writer) throws IOException, ExtractionException {
    Document page = Jsoup.parse(html);
    page.select("script, style, template, noscript").remove();
    String title = page.title();
    if (!title.isBlank()) {
      writer.add(title + "\n");
    }
    writer.add(page.body().wholeText());
  }
}
