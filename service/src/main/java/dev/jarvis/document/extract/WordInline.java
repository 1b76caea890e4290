package dev.jarvis.document.extract;

import java.util.Map;
import org.apache.poi.util.StringUtil;
import org.xml.sax.Attributes;

/** The elements of a Word document that stand for text. */
final class WordInline {
  /** Signs that forms and lists often take from the font Wingdings. */
  private static final Map<Integer, String> WINGDINGS =
      Map.of(
          0xfc, "✓", 0xfb, "✗", 0xfe, "☑", 0xfd, "☒", 0xa8, "☐", 0x6f, "☐", 0xe0, "→", 0xdf, "←",
          0xa7, "▪", 0x6c, "●");

  private WordInline() {}

  /** Returns the text: {@code "\n"} for a line's end, empty if the element is not shown. */
  static String text(String name, Attributes attributes) {
    return switch (name) {
      case "w:tab", "w:ptab" -> "\t";
      case "w:br", "w:cr" -> "\n";
      case "w:noBreakHyphen" -> "-";
      case "w:sym" -> symbol(attributes);
      case "wp:docPr" -> apart(XmlHandler.value(attributes, "descr", ""));
      case "v:shape" -> apart(XmlHandler.value(attributes, "alt", ""));
      case "v:textpath" -> apart(XmlHandler.value(attributes, "string", ""));
      // a formula on one line
      case "m:den" -> "/";
      case "m:sup" -> "^";
      case "m:sub" -> "_";
      default -> "";
    };
  }

  private static String apart(String text) {
    return text.isBlank() ? "" : " " + text + " ";
  }

  private static String symbol(Attributes attributes) {
    try {
      int code = Integer.parseInt(XmlHandler.value(attributes, "char", ""), 16);
      return symbol(XmlHandler.value(attributes, "font", ""), code);
    } catch (NumberFormatException e) {
      return "";
    }
  }

  /** Returns a sign of a font that has its own signs at the code points for private use. */
  static String symbol(String font, int code) {
    if (font.strip().startsWith("Wingdings")) {
      return WINGDINGS.getOrDefault(code & 0xff, " ");
    }
    if (font.equals("Symbol") && code < 0x100) {
      return symbol(font, 0xf000 | code);
    }
    if (code >= 0xf000 && code <= 0xf0ff) {
      return StringUtil.mapMsCodepointString(Character.toString(code));
    }
    return Character.isValidCodePoint(code) ? Character.toString(code) : "";
  }
}
