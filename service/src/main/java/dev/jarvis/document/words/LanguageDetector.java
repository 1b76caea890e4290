package dev.jarvis.document.words;

import com.ibm.icu.lang.UScript;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import opennlp.tools.langdetect.Language;
import opennlp.tools.langdetect.LanguageDetectorME;
import opennlp.tools.langdetect.LanguageDetectorModel;

/**
 * Detects the language of a text: by its script where only one language uses it, otherwise by the
 * frequency of its letter sequences, with Apache OpenNLP's model. Thread-safe.
 */
public final class LanguageDetector {
  /** A sample of this size is enough. */
  public static final int SAMPLE_CHARS = 5_000;

  private static final int MIN_LETTERS = 20;

  /** For a text in none of its languages the model gives each of them about 0.01. */
  private static final double MIN_CONFIDENCE = 0.02;

  /** How much more confident than the next language. */
  private static final double MIN_RATIO = 1.05;

  private static final Map<Integer, String> BY_SCRIPT =
      Map.ofEntries(
          Map.entry(UScript.HAN, "zh"),
          Map.entry(UScript.HIRAGANA, "ja"),
          Map.entry(UScript.KATAKANA, "ja"),
          Map.entry(UScript.HANGUL, "ko"),
          Map.entry(UScript.THAI, "th"),
          Map.entry(UScript.LAO, "lo"),
          Map.entry(UScript.KHMER, "km"),
          Map.entry(UScript.MYANMAR, "my"),
          Map.entry(UScript.ARMENIAN, "hy"),
          Map.entry(UScript.GEORGIAN, "ka"),
          Map.entry(UScript.GREEK, "el"),
          Map.entry(UScript.TAMIL, "ta"));

  /**
   * The model's languages (ISO 639-3) that count, and their ISO 639-1. The others are spoken by few
   * and resemble one of these, so that the model would take short texts for them.
   */
  private static final Map<String, String> BY_MODEL =
      Stream.of(
              """
              afr=af ara=ar aze=az bel=be ben=bn bos=hr bul=bg cat=ca ces=cs cym=cy dan=da deu=de ekk=et ell=el eng=en \
              epo=eo est=et eus=eu fas=fa fin=fi fra=fr gle=ga glg=gl guj=gu heb=he hin=hi hrv=hr hun=hu hye=hy ind=id \
              isl=is ita=it kan=kn kat=ka kaz=kk lav=lv lit=lt lvs=lv mal=ml mar=mr mkd=mk mlt=mt msa=id nep=ne nld=nl \
              nno=no nob=no pan=pa pes=fa pol=pl por=pt ron=ro rus=ru sin=si slk=sk slv=sl spa=es sqi=sq srp=sr swa=sw \
              swe=sv tam=ta tel=te tgl=tl tur=tr ukr=uk urd=ur uzb=uz vie=vi"""
                  .split(" "))
          .map(it -> it.split("="))
          .collect(Collectors.toUnmodifiableMap(it -> it[0], it -> it[1]));

  /** Loaded with the first document: 35 MiB, in two seconds. */
  private static final class Model {
    static final LanguageDetectorModel LOADED = load();

    private static LanguageDetectorModel load() {
      try (InputStream in = LanguageDetector.class.getResourceAsStream("/langdetect-183.bin")) {
        if (in == null) {
          throw new IllegalStateException("the model of languages is not on the class path");
        }
        return new LanguageDetectorModel(in);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private LanguageDetector() {}

  /**
   * Returns the language of a text, as ISO 639-1; empty if it is too short, or of several languages
   * or none.
   */
  public static Optional<String> detect(String text) {
    String sample = Normalizer.shown(text.substring(0, Math.min(text.length(), SAMPLE_CHARS)));
    Map<Integer, Integer> letters = new HashMap<>();
    sample
        .codePoints()
        .filter(Character::isLetter)
        .forEach(it -> letters.merge(UScript.getScript(it), 1, Integer::sum));
    int all = letters.values().stream().mapToInt(it -> it).sum();
    Optional<String> byScript = byScript(letters, all);
    return byScript.isPresent() || all < MIN_LETTERS ? byScript : byModel(sample);
  }

  private static Optional<String> byScript(Map<Integer, Integer> letters, int all) {
    Map<String, Integer> languages = new HashMap<>();
    letters.forEach(
        (script, count) -> {
          String language = BY_SCRIPT.get(script);
          if (language != null) {
            languages.merge(language, count, Integer::sum);
          }
        });
    int kana = languages.getOrDefault("ja", 0);
    int han = languages.getOrDefault("zh", 0);
    if (kana > 0 && kana * 10 >= han) { // Japanese is written in Han and kana
      languages.remove("zh");
      languages.put("ja", kana + han);
    }
    return languages.entrySet().stream()
        .filter(it -> it.getValue() * 2 > all)
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private static Optional<String> byModel(String sample) {
    String best = "";
    double confidence = 0;
    double next = 0;
    // the best first
    for (Language it : new LanguageDetectorME(Model.LOADED).predictLanguages(sample)) {
      String language = BY_MODEL.get(it.getLang());
      if (language != null && best.isEmpty()) {
        best = language;
        confidence = it.getConfidence();
      } else if (language != null && !language.equals(best)) {
        next = it.getConfidence();
        break;
      }
    }
    return confidence >= MIN_CONFIDENCE && confidence >= next * MIN_RATIO
        ? Optional.of(best)
        : Optional.empty();
  }
}
