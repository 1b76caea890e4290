package dev.jarvis.document.extract;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.tika.metadata.Metadata;
import org.apache.tika.parser.html.charsetdetector.StandardHtmlEncodingDetector;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the bytes of a text. A byte order mark, a declared encoding, and UTF-8 without an error
 * are certain; all else is a guess. Text without a good guess is refused, because nobody would find
 * what was decoded wrongly.
 */
public final class TextDecoder {
  /** Browsers take the superset of these, because many documents mean it (WHATWG's encodings). */
  private static final Map<String, String> SUPERSETS =
      Map.of(
          "ISO-8859-1", "windows-1252",
          "ISO-8859-9", "windows-1254",
          "TIS-620", "x-windows-874",
          "ISO-8859-11", "x-windows-874",
          "GB2312", "GB18030",
          "GBK", "GB18030",
          "Shift_JIS", "windows-31j",
          "EUC-KR", "x-windows-949");

  private static final Pattern XML_DECLARATION =
      Pattern.compile("\\A\\s*<\\?xml[^>]{0,200}?encoding\\s*=\\s*[\"']([\\w.:-]{1,40})[\"']");

  private static final int DECLARATION_BYTES = 1_024;

  private TextDecoder() {}

  /** A text, and how its bytes were read. */
  record Decoded(String text, TextEncoding encoding) {}

  /** Returns whether a file that begins with these bytes is text, in any encoding. */
  public static boolean isText(byte[] head) {
    int whole = head.length - head.length % 4; // UTF-32 must not end within a character
    return UnicodeText.byMark(head)
        .or(() -> UnicodeText.byNuls(Arrays.copyOf(head, whole == 0 ? head.length : whole)))
        .map(it -> ControlCharacters.areFew(it.text()))
        .orElseGet(() -> ControlCharacters.areFew(new String(head, StandardCharsets.ISO_8859_1)));
  }

  /** Returns whether a file that begins with these bytes may be UTF-8. */
  public static boolean isUtf8(byte[] head) {
    return !StandardCharsets.UTF_8
        .newDecoder()
        .decode(ByteBuffer.wrap(head), CharBuffer.allocate(head.length), false)
        .isError();
  }

  /**
   * Decodes a text.
   *
   * @param declared by what holds the text, as a mail; null if nothing is declared
   * @throws ExtractionException if the encoding is not recognised
   */
  static Decoded decode(byte[] bytes, @Nullable Charset declared) throws ExtractionException {
    Optional<Decoded> known = UnicodeText.byMark(bytes).or(() -> byDeclaration(bytes, declared));
    if (known.isEmpty()) {
      known = UnicodeText.byNuls(bytes).or(() -> utf8(bytes));
    }
    if (known.isPresent()) {
      return known.get();
    }
    Charset charset = LegacyCharsets.detect(bytes);
    if (charset == null) {
      throw new ExtractionException(
          "unknown_encoding",
          "The encoding of the text is not recognised; convert the file to UTF-8.");
    }
    return decoded(new String(bytes, charset), charset, false);
  }

  /**
   * Decodes a web page, whose {@code meta} elements may declare its encoding.
   *
   * @throws ExtractionException if the encoding is not recognised
   */
  static Decoded html(byte[] bytes, @Nullable Charset declared) throws ExtractionException {
    Charset charset = declared;
    if (charset == null) {
      try {
        charset =
            new StandardHtmlEncodingDetector()
                .detect(new ByteArrayInputStream(bytes), new Metadata());
      } catch (IOException e) {
        throw new UncheckedIOException(e); // of bytes in memory
      }
    }
    return decode(bytes, charset == null ? xmlCharset(bytes) : charset);
  }

  /**
   * Decodes XML, whose first line may declare its encoding.
   *
   * @throws ExtractionException if the encoding is not recognised
   */
  static Decoded xml(byte[] bytes, @Nullable Charset declared) throws ExtractionException {
    return decode(bytes, declared == null ? xmlCharset(bytes) : declared);
  }

  private static @Nullable Charset xmlCharset(byte[] bytes) {
    String head =
        new String(
            bytes, 0, Math.min(bytes.length, DECLARATION_BYTES), StandardCharsets.ISO_8859_1);
    Matcher declaration = XML_DECLARATION.matcher(head);
    Charset charset = declaration.find() ? charset(declaration.group(1)) : null;
    // the declaration itself was read as ASCII
    return charset == null
            || charset.name().startsWith("UTF-16")
            || charset.name().startsWith("UTF-32")
        ? null
        : charset;
  }

  /** Returns empty if the bytes contradict the declaration, as when only a template declared it. */
  private static Optional<Decoded> byDeclaration(byte[] bytes, @Nullable Charset declared) {
    if (declared == null || contradictsAscii(bytes, declared)) {
      return Optional.empty();
    }
    Charset charset = superset(declared);
    String text = strict(bytes, charset);
    if (text != null) {
      return Optional.of(decoded(text, charset, true));
    }
    return charset.equals(StandardCharsets.UTF_8)
        ? Optional.empty()
        : Optional.of(decoded(new String(bytes, charset), charset, false));
  }

  private static boolean contradictsAscii(byte[] bytes, Charset declared) {
    return declared.equals(StandardCharsets.US_ASCII)
        && strict(bytes, StandardCharsets.US_ASCII) == null;
  }

  private static Optional<Decoded> utf8(byte[] bytes) {
    String text = strict(bytes, StandardCharsets.UTF_8);
    if (text != null) {
      return Optional.of(escaped(text, bytes).orElse(decoded(text, StandardCharsets.UTF_8, true)));
    }
    return UnicodeText.isDamagedUtf8(bytes)
        ? Optional.of(
            decoded(new String(bytes, StandardCharsets.UTF_8), StandardCharsets.UTF_8, false))
        : Optional.empty();
  }

  /** Decodes ISO-2022, whose bytes are all ASCII: an escape sequence switches to another set. */
  private static Optional<Decoded> escaped(String ascii, byte[] bytes) {
    String name =
        ascii.contains("\u001b$B") || ascii.contains("\u001b$@")
            ? "ISO-2022-JP"
            : ascii.contains("\u001b$)C") ? "ISO-2022-KR" : "";
    if (name.isEmpty()) {
      return Optional.empty();
    }
    Charset charset = Charset.forName(name);
    return Optional.ofNullable(strict(bytes, charset)).map(it -> decoded(it, charset, false));
  }

  /** Returns the charset of a name; null if there is none of that name. */
  static @Nullable Charset charset(String name) {
    try {
      return Charset.forName(name.strip());
    } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
      return null;
    }
  }

  /** Returns the charset that a declared one means. */
  static Charset superset(Charset declared) {
    String name = SUPERSETS.get(declared.name());
    return name == null ? declared : Charset.forName(name);
  }

  static Decoded decoded(String text, Charset charset, boolean certain) {
    return new Decoded(text, new TextEncoding(charset.name(), certain));
  }

  /** Decodes bytes; null if they are not of the charset. */
  static @Nullable String strict(byte[] bytes, Charset charset) {
    try {
      return charset
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
