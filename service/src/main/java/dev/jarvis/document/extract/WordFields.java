package dev.jarvis.document.extract;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.xml.sax.Attributes;

/** The fields of a Word document that are open: of each the result is shown and not the code. */
final class WordFields {
  /** For each, whether its code is read. */
  private final Deque<Boolean> codes = new ArrayDeque<>();

  private final List<String> choices = new ArrayList<>();
  private int value;

  boolean inCode() {
    return codes.contains(true);
  }

  boolean start(String name, Attributes attributes) {
    switch (name) {
      case "w:fldChar" -> {
        switch (XmlHandler.value(attributes, "fldCharType", "")) {
          case "begin" -> codes.push(true);
          case "separate" -> {
            if (codes.poll() != null) {
              codes.push(false);
            }
          }
          default -> codes.poll();
        }
      }
      case "w:listEntry" -> choices.add(XmlHandler.value(attributes, "val", ""));
      case "w:checkBox", "w:ddList" -> {
        choices.clear();
        value = 0;
      }
      case "w:result" -> value = XmlHandler.number(attributes, "val", 0);
      default -> value = WordStyles.isOn(attributes) ? 1 : 0;
    }
    return true;
  }

  /** Returns how a form's field is shown. */
  String end(String name) {
    if (name.equals("w:checkBox")) {
      return value == 1 ? "☒" : "☐";
    }
    return value >= 0 && value < choices.size() ? choices.get(value) : "";
  }

  /** Shows what follows a code that is never closed. */
  void endParagraph() {
    if (inCode()) {
      int open = codes.size();
      codes.clear();
      for (int i = 0; i < open; i++) {
        codes.push(false);
      }
    }
  }
}
