package dev.jarvis.document.extract;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The supported types of files. A type is either text, which its name tells from other text, or
 * binary, which its content tells.
 */
public enum MediaType {
  TEXT("text/plain", Form.TEXT, "txt text log rst adoc asciidoc org textile"),
  MARKDOWN("text/markdown", Form.TEXT, "md markdown mdx mdown mkd"),
  HTML("text/html", Form.TEXT, "html htm xhtml"),
  CSV("text/csv", Form.TEXT, "csv"),
  TSV("text/tab-separated-values", Form.TEXT, "tsv tab"),
  SRT("application/x-subrip", Form.TEXT, "srt"),
  VTT("text/vtt", Form.TEXT, "vtt"),
  EML("message/rfc822", Form.TEXT, "eml"),
  IPYNB("application/x-ipynb+json", Form.TEXT, "ipynb"),
  XML("application/xml", Form.TEXT, "xml xsd xsl xslt svg rss atom wsdl"),
  JSON("application/json", Form.TEXT, "json jsonl ndjson geojson"),
  CODE(
      "text/x-code",
      Form.TEXT,
      "py rb java kt kts scala groovy c h cc cpp cxx hpp hh cs go rs swift m mm js mjs cjs ts tsx"
          + " jsx vue php pl pm lua r jl sh bash zsh fish ps1 bat cmd sql css scss less tex bib cls"
          + " sty yaml yml toml ini cfg conf properties env gradle cmake mk proto graphql tf hcl"
          + " dockerfile diff patch hs ml clj ex exs erl dart vb f90 asm s pas"),
  PDF("application/pdf", Form.BINARY, "pdf"),
  DOCX(
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      Form.BINARY,
      "docx");

  /** What a file is made of. */
  private enum Form {
    TEXT,
    BINARY
  }

  private final String id;
  private final Form form;
  private final String extensions;

  MediaType(String id, Form form, String extensions) {
    this.id = id;
    this.form = form;
    this.extensions = extensions;
  }

  /** The name that IANA registered, or the usual one. */
  public String id() {
    return id;
  }

  /** Whether the bytes are those of a text. */
  public boolean isText() {
    return form == Form.TEXT;
  }

  /** Endings of file names, without the dot, the usual one first. */
  public List<String> extensions() {
    return List.of(extensions.split(" "));
  }

  public static Optional<MediaType> of(String id) {
    return Arrays.stream(values()).filter(it -> it.id.equals(id)).findFirst();
  }

  /** Returns the type of files with this ending, in lower case. */
  public static Optional<MediaType> ofExtension(String extension) {
    return Arrays.stream(values()).filter(it -> it.extensions().contains(extension)).findFirst();
  }
}
