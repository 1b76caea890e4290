package dev.jarvis.document.extract;

import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.poi.ss.usermodel.BuiltinFormats;
import org.apache.poi.ss.usermodel.DataFormatter;
import org.xml.sax.Attributes;

/**
 * Reads the formats of a workbook's cells, and shows numbers as Excel does in English; dates that
 * Excel shows as the reader's country does are as in ISO 8601.
 */
final class CellFormats extends XmlHandler {
  private final DataFormatter formatter = new DataFormatter(Locale.ENGLISH);
  private final Map<Integer, String> codes = new HashMap<>();
  private final List<Integer> cells = new ArrayList<>();
  private final boolean from1904;
  private boolean inCells;

  /**
   * Creates a reader of formats.
   *
   * @param from1904 whether days count from 1904
   */
  CellFormats(boolean from1904) {
    this.from1904 = from1904;
    formatter.addFormat("m/d/yy", new SimpleDateFormat("yyyy-MM-dd", Locale.ROOT));
    formatter.addFormat("m/d/yy h:mm", new SimpleDateFormat("yyyy-MM-dd HH:mm", Locale.ROOT));
  }

  @Override
  boolean start(String name, Attributes attributes) {
    switch (name) {
      case "x:numFmt" ->
          codes.put(number(attributes, "numFmtId", 0), value(attributes, "formatCode", "General"));
      case "x:cellXfs" -> inCells = true;
      case "x:xf" -> {
        if (inCells) {
          cells.add(number(attributes, "numFmtId", 0));
        }
      }
      case "x:dxfs" -> {
        return false;
      }
      default -> {}
    }
    return true;
  }

  @Override
  void end(String name) {
    if (name.equals("x:cellXfs")) {
      inCells = false;
    }
  }

  /** Returns how a cell with a style shows a number. */
  String format(String stored, int style) {
    double value;
    try {
      value = Double.parseDouble(stored);
    } catch (NumberFormatException e) {
      return stored;
    }
    int id = style >= 0 && style < cells.size() ? cells.get(style) : 0;
    String code = codes.get(id);
    if (code == null) {
      code = BuiltinFormats.getBuiltinFormat(id);
    }
    return formatter.formatRawCellContents(value, id, code == null ? "General" : code, from1904);
  }
}
