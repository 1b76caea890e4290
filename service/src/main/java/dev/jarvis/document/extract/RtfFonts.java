package dev.jarvis.document.extract;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The fonts of an RTF file, each of which has its own code page. */
final class RtfFonts {
  private static final int SYMBOLS = 2;

  /** Code pages by the numbers that Windows gives to character sets. */
  private static final Map<Integer, String> CHARSETS =
      Map.ofEntries(
          Map.entry(77, "x-MacRoman"),
          Map.entry(128, "windows-31j"),
          Map.entry(129, "x-windows-949"),
          Map.entry(130, "x-Johab"),
          Map.entry(134, "GBK"),
          Map.entry(136, "x-windows-950"),
          Map.entry(161, "windows-1253"),
          Map.entry(162, "windows-1254"),
          Map.entry(163, "windows-1258"),
          Map.entry(177, "windows-1255"),
          Map.entry(178, "windows-1256"),
          Map.entry(186, "windows-1257"),
          Map.entry(204, "windows-1251"),
          Map.entry(222, "x-windows-874"),
          Map.entry(238, "windows-1250"),
          Map.entry(255, "IBM850"));

  /** A font: the number of its character set, and its name. */
  private static final class Font {
    int charset;
    final StringBuilder name = new StringBuilder();
  }

  private final Map<Integer, Font> fonts = new HashMap<>();
  private Charset standard = Charset.forName("windows-1252");
  private Font defined = new Font();

  /** Sets the code page of the file, as of {@code \ansicpg1251}. */
  void codePage(int number) {
    standard =
        switch (number) {
          case 10_000 -> charset("x-MacRoman");
          case 65_001 -> StandardCharsets.UTF_8;
          case 932 -> charset("windows-31j");
          case 936 -> charset("GBK");
          case 949, 950, 874 -> charset("x-windows-" + number);
          default ->
              charset(number >= 1250 && number <= 1258 ? "windows-" + number : "IBM" + number);
        };
  }

  /** Begins the definition of a font. */
  void define(int number) {
    defined = new Font();
    fonts.put(number, defined);
  }

  void charset(int number) {
    defined.charset = number;
  }

  void name(String part) {
    defined.name.append(part);
  }

  /** Decodes text that is set in a font. */
  String decode(byte[] bytes, int number) {
    Font font = fonts.get(number);
    if (font == null) {
      return new String(bytes, standard);
    }
    if (font.charset == SYMBOLS) {
      StringBuilder text = new StringBuilder();
      for (byte b : bytes) {
        text.append(b == ' ' ? " " : WordInline.symbol(font.name.toString(), 0xf000 | (b & 0xff)));
      }
      return text.toString();
    }
    String charset = CHARSETS.get(font.charset);
    return new String(bytes, charset == null ? standard : charset(charset));
  }

  /** Replaces a sign for private use, as which Word writes those of a font of symbols. */
  String symbol(char sign, int number) {
    Font font = fonts.get(number);
    return sign >= 0xf000 && sign <= 0xf0ff
        ? WordInline.symbol(font == null ? "" : font.name.toString(), sign)
        : String.valueOf(sign);
  }

  private Charset charset(String name) {
    return Charset.isSupported(name) ? Charset.forName(name) : standard;
  }
}
