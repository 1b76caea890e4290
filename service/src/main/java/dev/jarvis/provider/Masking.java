package dev.jarvis.provider;

import dev.jarvis.config.Secret;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;

/** Bounds the texts of model servers, and masks what they must not reveal. */
final class Masking {
  private static final int LIMIT_CHARS = 300;

  /** Longer texts are cut before keys are masked. */
  private static final int MASKED_CHARS = 2_000;

  /**
   * URLs; IPv4 and IPv6 addresses, host names and {@code localhost}, each with its port. A name
   * without dots before a number below 1000 may be anything ({@code limit:512}): it counts as a
   * host if the port is a web server's or the words before it suggest so. Names of internal domains
   * need no port.
   */
  private static final Pattern ADDRESS =
      Pattern.compile(
          "\\b[a-z][a-z0-9+.-]{0,20}://[^\\s\"'<>)]+"
              + "|\\bhost=['\"]?[\\w.:-]+['\"]?(?:,\\s?port=\\d{1,5})?"
              + "|(?<=\\blookup\\s)[a-z0-9][\\w.-]*(?=\\son\\s[\\d\\[]|:\\s)"
              + "|(?<=\\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|resolve\\shost:)\\s)"
              + "[\\w-]+(?:[.:][\\w-]+)*"
              + "|(?<=\\bresolve\\s')[\\w.-]+(?='\\s\\(\\[Errno)"
              + "|\\b\\d{1,3}(?:\\.\\d{1,3}){3}(?::\\d{1,5})?\\b"
              + "|\\[[0-9a-f:.]*:[0-9a-f:.]*\\](?::\\d{1,5})?"
              + "|(?<![\\w:.])(?=[a-f:]{0,20}\\d)(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?"
              + "::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,5}){0,7})?(?![\\w:])"
              + "|(?<![\\w:.])[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}(?![\\w:])"
              + "|\\blocalhost\\b(?::\\d{1,5})?"
              + "|\\b[a-z0-9][a-z0-9-]*(?:\\.[a-z0-9-]+)*"
              + "\\.(?:internal|local|localdomain|svc|lan|corp|home\\.arpa)(?![.-]?\\w)"
              + "(?::\\d{1,5})?"
              + "|\\b[a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)*:\\d{4,5}\\b"
              + "|\\b[a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)*\\.[a-z][a-z0-9-]*:\\d{2,3}\\b"
              + "|\\b[a-z][a-z0-9-]*:(?:80|443)\\b"
              + "|(?<=\\b(?:tcp|host|server|upstream|connect to|connecting to|connection to)\\s)"
              + "[a-z][a-z0-9-]*:\\d{1,3}\\b",
          Pattern.CASE_INSENSITIVE);

  /**
   * Bearer tokens, keys and accounts by their usual prefixes, JWTs, long words of letters and
   * digits, UUIDs after words for keys, and values of fields for keys.
   */
  private static final Pattern SECRET =
      Pattern.compile(
          "\\bbearer\\s+[^\\s\"',;]+"
              + "|\\b(?:sk|pk|rk|hf|gsk|xai)[-_][\\w*.-]{6,}"
              + "|\\bAIza[\\w-]{10,}"
              + "|\\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
              + "|\\b(?=[0-9a-f]{8}-)(?<=\\b(?:api_?key|key|token|secret)s?\\b.{0,24})"
              + "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\\b"
              + "|(?<=(?:\\b|access_|auth_|client_|refresh_)(?<!unexpected )"
              + "(?:password|passwd|token|secret|api[_-]?key)"
              + "['\"]?\\s{0,2}[=:]\\s{0,2}['\"]?)[^\\s\"',;&=:]+"
              + "|\\beyJ[\\w-]+\\.[\\w-]+(?:\\.[\\w-]*)?"
              + "|\\b(?:org|proj)[-_][a-z0-9]{10,}"
              + "|\\b(?=[a-z_]*\\d)(?=\\d*[a-z_])\\w{32,}\\b",
          Pattern.CASE_INSENSITIVE);

  /** Absolute paths of two parts or more. */
  private static final Pattern PATH =
      Pattern.compile(
          "(?<![\\w/.])/(?:[\\w.@+~-]+/)+[\\w.@+~-]*|\\b[a-z]:\\\\[^\\s\"']+",
          Pattern.CASE_INSENSITIVE);

  /** Shorter keys are words that a text may need. */
  private static final int MIN_KEY_CHARS = 6;

  private static final int MAX_KEYS = 100;

  /** The configured keys, the newest first. */
  private static final List<String> KEYS = new CopyOnWriteArrayList<>();

  private Masking() {}

  /** Masks a configured key from now on, in the texts of all servers. */
  static synchronized void add(Secret key) {
    if (key.value().length() >= MIN_KEY_CHARS && !KEYS.contains(key.value())) {
      KEYS.addFirst(key.value());
      if (KEYS.size() > MAX_KEYS) {
        KEYS.removeLast();
      }
    }
  }

  /** Whether a word is, or looks like, a key. */
  static boolean secret(String word) {
    return KEYS.stream().anyMatch(word::contains) || SECRET.matcher(word).find();
  }

  /** On one line, bounded and without keys: for the log, whose readers need the addresses. */
  static String forLog(String text) {
    String safe = text;
    for (String key : KEYS) { // first, lest a part of one is left at the end
      safe = safe.replace(key, "[secret]");
    }
    String line = bounded(safe, MASKED_CHARS).replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    return bounded(SECRET.matcher(line).replaceAll("[secret]"), LIMIT_CHARS);
  }

  /**
   * For a client: without addresses too.
   *
   * @param logged as {@link #forLog} returns it
   */
  static String forClient(String logged) {
    return ADDRESS.matcher(logged).replaceAll("[address]");
  }

  /** Without paths of files, in an error that is not about the request. */
  static String withoutPaths(String text) {
    return PATH.matcher(text).replaceAll("[path]");
  }

  static String bounded(String text, int chars) {
    return text.length() <= chars ? text : text.substring(0, chars) + "…";
  }
}
