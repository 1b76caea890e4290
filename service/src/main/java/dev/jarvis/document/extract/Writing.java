package dev.jarvis.document.extract;

import java.nio.charset.Charset;
import java.util.List;

/**
 * An encoding and the languages that are written in it.
 *
 * @param alphabets for each language, its letters beyond ASCII, the most frequent first
 * @param usual of how many of these longer texts have one
 * @param first for Chinese, Japanese and Korean: the first byte of the frequent characters
 * @param last the last of these bytes
 * @param rare whether texts in it are rare, so that others are more probable
 */
record Writing(
    Charset charset, List<String> alphabets, int usual, int first, int last, boolean rare) {
  /** No letter is in every text. */
  private static final int ANY = Integer.MAX_VALUE;

  private static final String[] WESTERN = {
    "äüöß",
    "éàâæçèêëîïôœùûüÿ",
    "íóáéúüñªº",
    "ãçáâàéêíóôõúüªº",
    "àèéìíîòóùú",
    "éëïóöüáèê",
    "äöåé",
    "åøæéö",
    "íáðéóúýþæö",
    "àéçèíïòóúü"
  };
  private static final String[] CENTRAL = {
    "łęąćńóśźż", "íáčďéěňóřšťúůýž", "áíäčďéĺľňóôŕšťúýž", "áéíóöőúüű", "ăîâşţ", "čšžćđ", "äüöß"
  };
  private static final String[] BALTIC = {"ėšąčęįųūž", "āīčēģķļņšūž", "äõöüšž"};
  private static final String[] TURKISH = {"ıişğçöüâîûİ"};
  private static final String RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё";
  private static final String UKRAINIAN = "абвгдежзийклмнопрстуфхцчшщьюяєіїґ";
  private static final String[] CYRILLIC = {
    RUSSIAN,
    UKRAINIAN,
    "абвгдежзийклмнопрстуфхцчшщъьюя",
    "абвгдђежзијклљмнњопрстћуфхцчџш",
    "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
    "абвгдежзйклмнопрстуфхцчшыьэюяёіў"
  };
  private static final String[] GREEK = {"αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"};
  private static final String[] HEBREW = {
    range(0x5b0, 0x5c3) + range(0x5d0, 0x5ea) + "\u05f3\u05f4"
  };
  private static final String[] ARABIC = {
    range(0x621, 0x652), range(0x621, 0x652) + "پچژگکیھہےٹڈڑں\u200c\u200d"
  };
  private static final String[] THAI = {range(0xe01, 0xe3a) + range(0xe40, 0xe5b)};
  private static final String[] VIETNAMESE = {"ăâđêôơưàáãèéìíòóõùúý\u0300\u0301\u0303\u0309\u0323"};

  /** All that are detected; of equally good ones, the first. */
  static final List<Writing> ALL =
      List.of(
          letters("windows-1252", 2, WESTERN),
          letters("windows-1251", ANY, CYRILLIC),
          letters("windows-1250", 2, CENTRAL),
          letters("windows-1253", ANY, GREEK),
          letters("windows-1254", 3, TURKISH),
          letters("windows-1255", ANY, HEBREW),
          letters("windows-1256", ANY, ARABIC),
          letters("windows-1257", 2, BALTIC),
          letters("windows-1258", ANY, VIETNAMESE),
          letters("x-windows-874", ANY, THAI),
          ideographs("GB18030", 0xb0, 0xd7),
          ideographs("windows-31j", 0x88, 0x97),
          ideographs("x-windows-949", 0xb0, 0xc8),
          ideographs("Big5", 0xa4, 0xc6),
          ideographs("EUC-JP", 0xb0, 0xcf),
          letters("KOI8-R", ANY, RUSSIAN, CYRILLIC[2]),
          letters("KOI8-U", ANY, RUSSIAN, UKRAINIAN),
          letters("ISO-8859-2", 2, CENTRAL),
          letters("ISO-8859-15", 2, WESTERN),
          letters("ISO-8859-5", ANY, CYRILLIC),
          letters("ISO-8859-7", ANY, GREEK),
          letters("ISO-8859-6", ANY, ARABIC),
          letters("ISO-8859-8", ANY, HEBREW),
          letters("ISO-8859-9", 3, TURKISH),
          letters("ISO-8859-13", 2, BALTIC),
          rare("IBM866", ANY, RUSSIAN, CYRILLIC[2]),
          rare("x-MacCyrillic", ANY, RUSSIAN, CYRILLIC[2]),
          rare("IBM850", 2, WESTERN),
          rare("x-MacRoman", 2, WESTERN));

  private static Writing letters(String charset, int usual, String... alphabets) {
    return new Writing(Charset.forName(charset), List.of(alphabets), usual, 0, 0, false);
  }

  private static Writing rare(String charset, int usual, String... alphabets) {
    return new Writing(Charset.forName(charset), List.of(alphabets), usual, 0, 0, true);
  }

  private static Writing ideographs(String charset, int first, int last) {
    return new Writing(Charset.forName(charset), List.of(), ANY, first, last, false);
  }

  boolean hasIdeographs() {
    return alphabets.isEmpty();
  }

  private static String range(int first, int last) {
    StringBuilder text = new StringBuilder();
    for (int c = first; c <= last; c++) {
      text.appendCodePoint(c);
    }
    return text.toString();
  }
}
