package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a text file in UTF-8, in UTF-16 with a byte order mark, or else in Windows-1252. */
final class PlainText {
  private PlainText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    byte[] bytes = Files.readAllBytes(file);
    TextEncoding encoding = encoding(bytes);
    writer.encoding(encoding);
    String text = new String(bytes, Charset.forName(encoding.charset()));
    if (text.indexOf('\0') >= 0) {
      throw new ExtractionException(
          "wrong_type", "The file is not text: it contains NUL characters.");
    }
    writer.add(text.startsWith("\ufeff") ? text.substring(1) : text);
  }

  private static TextEncoding encoding(byte[] bytes) {
    if (bytes.length >= 2 && bytes[0] == (byte) 0xfe && bytes[1] == (byte) 0xff) {
      return new TextEncoding("UTF-16BE", true);
    }
    if (bytes.length >= 2 && bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xfe) {
      return new TextEncoding("UTF-16LE", true);
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return new TextEncoding("UTF-8", true);
    } catch (CharacterCodingException e) {
      return new TextEncoding("windows-1252", false);
    }
  }
}
