package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the encoding of a text is found. */
class TextDecoderTest {
  private static Decoded decode(byte[] bytes, @Nullable String declared) throws Exception {
    return TextDecoder.decode(bytes, declared == null ? null : Charset.forName(declared));
  }

  private static byte[] bytes(Object... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Object part : parts) {
      if (part instanceof Integer one) {
        out.write(one);
      } else {
        out.writeBytes(String.valueOf(part).getBytes(StandardCharsets.UTF_8));
      }
    }
    return out.toByteArray();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "UTF-8 | UTF-8 | true | Straße und Café",
        "UTF-16LE | UTF-16LE | false | Straße und Café",
        "UTF-16BE | UTF-16BE | false | Гавань открыта до вечера.",
        "UTF-32LE | UTF-32LE | false | 港口费用 每晚",
        "UTF-32BE | UTF-32BE | false | 港口费用 每晚",
        "windows-1252 | windows-1252 | false | Name;Straße; Müller;Königsallee 5",
        "windows-1252 | windows-1252 | false | Zürich – “quoted” €5",
        "windows-1252 | windows-1252 | false | Le port est fermé la nuit à marée basse, même"
            + " l'été.",
        "windows-1250 | windows-1250 | false | Zażółć gęślą jaźń – łódź w porcie",
        "ISO-8859-2 | ISO-8859-2 | false | Příliš žluťoučký kůň; přístav je zavřený.",
        "windows-1251 | windows-1251 | false | Гавань закрыта до утра, стоянка стоит сто рублей.",
        "KOI8-R | KOI8-R | false | Гавань закрыта до утра, стоянка стоит сто рублей.",
        "KOI8-U | KOI8-U | false | Гавань зачинена до ранку, її їжа та ґанок.",
        "ISO-8859-5 | ISO-8859-5 | false | Гавань закрыта до утра, стоянка стоит сто рублей.",
        "IBM866 | IBM866 | false | Гавань закрыта до утра, стоянка стоит сто рублей.",
        "windows-1253 | windows-1253 | false | Το λιμάνι είναι κλειστό μέχρι το πρωί. Άγκυρα",
        "windows-1254 | windows-1254 | false | Liman sabaha kadar kapalıdır, ücret değişmiş, iyi"
            + " geceler şimdi.",
        "windows-1255 | windows-1255 | false | הנמל סגור עד הבוקר, המחיר הוא ארבעה עשר שקלים"
            + " ללילה.",
        "windows-1256 | windows-1256 | false | الميناء مغلق حتى الصباح، والسعر أربعة عشر درهما.",
        "windows-1257 | windows-1257 | false | Uostas uždarytas iki ryto, kaina keturiolika eurų už"
            + " naktį, ąčęėįšųūž.",
        "Shift_JIS | windows-31j | false | 港は朝まで閉まっています。",
        "EUC-JP | EUC-JP | false | 港は朝まで閉まっています。",
        "ISO-2022-JP | ISO-2022-JP | false | 港は朝まで閉まっています。",
        "GBK | GB18030 | false | 港口费用每晚一百元，请在办公室付款。",
        "GB18030 | GB18030 | false | 港口费用每晚一百元，请在办公室付款。",
        "Big5 | Big5 | false | 港口費用每晚一百元，請在辦公室付款。",
        "EUC-KR | x-windows-949 | false | 항구는 아침까지 닫혀 있습니다.",
        "x-windows-874 | x-windows-874 | false | ท่าเรือปิดจนถึงเช้า ค่าธรรมเนียมสิบสี่บาท",
      })
  void recognisesEncodings(String written, String read, boolean certain, String text)
      throws Exception {
    Decoded decoded = decode(text.getBytes(Charset.forName(written)), null);
    assertThat(decoded.text()).isEqualTo(text);
    assertThat(decoded.encoding()).isEqualTo(new TextEncoding(read, certain));
  }

  @ParameterizedTest
  @CsvSource({"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
  void removesTheByteOrderMark(String charset) throws Exception {
    Decoded decoded = decode("\ufeffStraße".getBytes(Charset.forName(charset)), null);
    assertThat(decoded).isEqualTo(new Decoded("Straße", new TextEncoding(charset, true)));
  }

  @Test
  void keepsUtf8WithAWrongByte() throws Exception {
    Decoded decoded = decode(bytes("naïve Straße, Käse ", 0xe9, " und Brücke"), null);
    assertThat(decoded.text()).isEqualTo("naïve Straße, Käse \ufffd und Brücke");
    assertThat(decoded.encoding()).isEqualTo(new TextEncoding("UTF-8", false));
  }

  @Test
  void takesWhatIsDeclared() throws Exception {
    byte[] bytes = "čaša".getBytes(Charset.forName("windows-1250"));
    assertThat(decode(bytes, "windows-1250"))
        .isEqualTo(new Decoded("čaša", new TextEncoding("windows-1250", true)));
    assertThat(decode(bytes("Straße"), "windows-1250").text()).isEqualTo("StraĂźe");
    assertThat(decode(bytes(0xef, 0xbb, 0xbf, "Straße"), "windows-1250").text())
        .as("a mark is stronger")
        .isEqualTo("Straße");
    assertThat(decode("Müller".getBytes(Charset.forName("windows-1252")), "UTF-8").encoding())
        .as("contradicted by the bytes")
        .isEqualTo(new TextEncoding("windows-1252", false));
  }

  @Test
  void refusesWhatReadsAsNoLanguage() {
    byte[] bytes = new byte[200];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i % 3 == 0 ? 0x81 + i % 60 : 'a' + i % 26);
    }
    assertThatExceptionOfType(ExtractionException.class)
        .isThrownBy(() -> decode(bytes, null))
        .withMessageContaining("convert the file to UTF-8")
        .satisfies(e -> assertThat(e.code()).isEqualTo("unknown_encoding"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "<meta charset=windows-1251><p>Цена | windows-1251 | windows-1251 | true",
        "<meta http-equiv=Content-Type content='text/html; charset=koi8-r'><p>Цена | KOI8-R |"
            + " KOI8-R | true",
        "<meta charset=iso-8859-1><p>“Straße” | windows-1252 | windows-1252 | true",
        "<meta charset=utf-8><p>Straße | windows-1252 | windows-1252 | false",
        "<?xml version='1.0' encoding='windows-1251'?><p>Цена</p> | windows-1251 | windows-1251 |"
            + " true",
        "<p>Die schöne Frau – “quoted” | windows-1252 | windows-1252 | false",
      })
  void readsTheDeclarationsOfPages(String html, String written, String read, boolean certain)
      throws Exception {
    Decoded decoded = TextDecoder.html(html.getBytes(Charset.forName(written)), null);
    assertThat(decoded).isEqualTo(new Decoded(html, new TextEncoding(read, certain)));
  }
}
