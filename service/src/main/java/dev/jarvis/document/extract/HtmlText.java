package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;

/** Extracts the text of a web page, with jsoup, which detects the charset. */
final class HtmlText {
  private HtmlText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    Document page = Jsoup.parse(file.toFile(), null);
    page.select("script, style, template, noscript").remove();
    String title = page.title();
    if (!title.isBlank()) {
      writer.add(title + "\n");
    }
    writer.add(page.body().wholeText());
  }
}
