package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;

/** The text of a web page, by jsoup; its charset as the page or its byte order mark tells. */
final class HtmlText {
  private HtmlText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    Document page = Jsoup.parse(file.toFile(), null);
    page.select("script, style, template, noscript").remove();
    String title = page.title();
    if (!title.isBlank()) {
      writer.add(0, title + "\n");
    }
    writer.add(0, page.body().wholeText());
  }
}
