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
    String text = decode(Files.readAllBytes(file));
    if (text.indexOf('\0') >= 0) {
      throw new ExtractionException(
          "wrong_type", "The file is not text: it contains NUL characters.");
    }
    writer.add(0, text);
  }

  private static String decode(byte[] bytes) {
    if (bytes.length >= 2 && bytes[0] == (byte) 0xfe && bytes[1] == (byte) 0xff) {
      return new String(bytes, 2, bytes.length - 2, StandardCharsets.UTF_16BE);
    }
    if (bytes.length >= 2 && bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xfe) {
      return new String(bytes, 2, bytes.length - 2, StandardCharsets.UTF_16LE);
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith("\ufeff") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      return new String(bytes, Charset.forName("windows-1252"));
    }
  }
}
