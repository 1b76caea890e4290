package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.parser.Parser;
import org.jspecify.annotations.Nullable;

/** Extracts the text of an electronic book in its reading order, without its table of contents. */
final class EpubText {
  /** Ways to obfuscate embedded fonts, which do not protect the text. */
  private static final Set<String> FONTS =
      Set.of("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC");

  private final ZipPackage zip;
  private final TextLayout layout;
  private final Set<String> encrypted = new HashSet<>();

  private EpubText(ZipPackage zip, TextLayout layout) {
    this.zip = zip;
    this.layout = layout;
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    try (ZipPackage zip = ZipPackage.open(file, List.of("application/epub+zip"), "EPUB (.epub)")) {
      TextLayout layout = new TextLayout(writer);
      new EpubText(zip, layout).read();
      layout.end();
    }
  }

  private void read() throws IOException, ExtractionException {
    Document container = required("META-INF/container.xml");
    String path = container.select("rootfile[full-path]").attr("full-path");
    Document rights = xml("META-INF/encryption.xml");
    for (Element data : rights == null ? List.<Element>of() : rights.select("*|EncryptedData")) {
      if (!FONTS.contains(data.select("*|EncryptionMethod").attr("Algorithm"))) {
        encrypted.add(resolved("", data.select("*|CipherReference").attr("URI")));
      }
    }
    Document book = required(path);
    String folder = path.substring(0, path.lastIndexOf('/') + 1);
    Map<String, Element> items = new HashMap<>();
    book.select("*|manifest > *|item").forEach(it -> items.put(it.attr("id"), it));
    for (Element reference : book.select("*|spine > *|itemref")) {
      Element item = items.get(reference.attr("idref"));
      if (item != null
          && item.attr("media-type")
              .matches("application/xhtml\\+xml|text/html|application/x-dtbook\\+xml")
          && !item.attr("properties").matches("(.*\\s)?nav(\\s.*)?")) {
        chapter(resolved(folder, item.attr("href")), item.attr("media-type"));
      }
    }
  }

  private void chapter(String path, String type) throws IOException, ExtractionException {
    if (encrypted.contains(path)) {
      throw new ExtractionException(
          "encrypted",
          "The book is protected by digital rights management; upload an unprotected copy.");
    }
    try (InputStream in = zip.read(path)) {
      if (in != null) {
        // in HTML, <title/> would begin a title that never ends
        Parser parser = type.equals("text/html") ? Parser.htmlParser() : Parser.xmlParser();
        new HtmlText(layout).read(Jsoup.parse(in, null, "", parser), false);
      }
    }
  }

  private Document required(String path) throws IOException, ExtractionException {
    Document found = encrypted.contains(path) ? null : xml(path);
    if (found == null) {
      throw ExtractionException.broken();
    }
    return found;
  }

  /** Reads XML leniently, and without entities. */
  private @Nullable Document xml(String path) throws IOException {
    try (InputStream in = zip.read(path)) {
      return in == null ? null : Jsoup.parse(in, null, "", Parser.xmlParser());
    }
  }

  private static String resolved(String folder, String reference) {
    String decoded = decoded(reference);
    Deque<String> path = new ArrayDeque<>();
    // not a Path, which refuses names that the encoding of the system's own files lacks
    for (String name : (decoded.startsWith("/") ? decoded : folder + decoded).split("/", -1)) {
      switch (name) {
        case "", "." -> {}
        case ".." -> path.pollLast();
        default -> path.addLast(name);
      }
    }
    return String.join("/", path);
  }

  private static String decoded(String reference) {
    int end = reference.indexOf('#');
    String path = (end < 0 ? reference : reference.substring(0, end)).replace("+", "%2B");
    String strict = path.replaceAll("%(?!\\p{XDigit}{2})", "%25"); // 100% sure.xhtml
    return URLDecoder.decode(strict, StandardCharsets.UTF_8);
  }
}
